"""What sacrebleu adds to BLEU: the tokens 13a and chrF. It is an extra that may be absent."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from lmtool.errors import ConfigError, option

__all__ = ["chrf", "tokenizer"]

Split = Callable[[str], list[str]]


def sacrebleu(name: str, wanted: str) -> Any:
    """One of its modules. Raises ConfigError where it is absent."""
    try:
        return importlib.import_module(f"sacrebleu.{name}")
    except ImportError:
        message = f"{wanted} needs sacrebleu, which is not installed"
        raise ConfigError(f"{message}: pip install 'lmtool[mt]'") from None


def by_13a() -> Split:
    """The words of mteval-v13a."""
    wanted = option("tokenize", "13a")
    spaced = sacrebleu("tokenizers.tokenizer_13a", wanted).Tokenizer13a()
    return lambda text: spaced(text.rstrip()).split()


TOKENIZERS: dict[str, Callable[[], Split]] = {"none": lambda: str.split, "13a": by_13a}


def tokenizer(name: str) -> Split:
    """What makes words of a text: by ``none`` they stand between blanks. Raises ConfigError."""
    return TOKENIZERS[name]()


def chrf(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], lower: bool
) -> tuple[float, str]:
    """chrF2 of texts in percent (Popović 2015), and its signature. Raises ConfigError."""
    metric = sacrebleu("metrics.chrf", option("chrf", True)).CHRF(lowercase=lower)
    longest = max(map(len, references))
    padded = [[*some, *[None] * (longest - len(some))] for some in references]
    score = metric.corpus_score(hypotheses, [list(column) for column in zip(*padded, strict=True)])
    return float(score.score), f"{score.name}|{metric.get_signature()}"
