"""Tokens that no text spells."""

__all__ = ["EOS", "EOS_ID", "EOS_SPELLINGS", "NEVER_WORDS", "N_SPECIALS", "UNK", "UNK_ID"]

EOS, UNK = "<EOS>", "<UNK>"
EOS_ID, UNK_ID = 0, 1
N_SPECIALS = 2
EOS_SPELLINGS = frozenset({"<EOS>", "<eos>", "</s>"})
NEVER_WORDS = EOS_SPELLINGS | {"<UNK>", "<unk>"}
