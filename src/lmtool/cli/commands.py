"""The table of commands: what ``lmtool --help`` shows, so that it imports none of them.

A new command is one file with a ``run`` function and an entry in GROUPS. The file is imported when
its command is called. What it may import at the top is typer and this package; numpy, rich and the
library wait until it runs.
"""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

__all__ = ["COMMANDS", "GROUPS", "Command", "run_of"]


class Command(NamedTuple):
    """How its help begins, and an example of it; all else is in the file of its name."""

    headline: str
    example: str


GROUPS: dict[str, dict[str, Command]] = {
    "Train": {
        "train": Command(
            "Train a model on a text and write it to one file.",
            "lmtool train corpus.txt --time 10m",
        ),
        "plan": Command(
            "Show what training would do, without training: sizes, steps, speed, memory, file "
            "size.",
            "lmtool plan corpus.txt --time 10m",
        ),
        "mix": Command(
            "Mix language models: a weighted mean of their probabilities, in one file.",
            "lmtool mix a.safetensors b.safetensors --valid valid.txt -o ab",
        ),
    },
    "Use": {
        "score": Command(
            "Score sentences: P(w1) x P(w2 | w1) x ... x P(<EOS> | ...).",
            'lmtool score "Todd met Pete" "Toad met Pit"',
        ),
        "sample": Command(
            "Draw sentences: each word from the softmax given all words before, until <EOS>.",
            'lmtool sample -n 5 --prompt "Todd met" --temperature 0.8',
        ),
        "next": Command(
            "List the most probable next words after TEXT, or after each line of a file.",
            'lmtool next "Todd met" -k 3',
        ),
        "tag": Command(
            "Tag words: which phrases does a sentence hold, and how probable is each?",
            'lmtool tag "Mohan was driving a Maruti"',
        ),
        "translate": Command(
            "Translate sentences: the most probable text that the model can find for each.",
            'lmtool translate "der Hund sah die Katze" -n 3',
        ),
        "transcribe": Command(
            "Transcribe recordings: the text that is said in each, a line a file.",
            "lmtool transcribe a.wav b.wav --lm lm.safetensors",
        ),
        "caption": Command(
            "Caption pictures, or the vectors that a network made of them.",
            "lmtool caption -f vectors.npy",
        ),
        "play": Command(
            'Play a text of music: ABC, or note tokens such as "60 64 67 |", from a file or a '
            "pipe.",
            "lmtool play tunes.abc --midi tunes.mid --check",
        ),
        "rescore": Command(
            "Rescore n-best lists: choose what a language model finds probable of what was heard.",
            "lmtool rescore nbest.jsonl --tune dev.jsonl",
        ),
        "classify": Command(
            "Label texts: the most probable label of each, and how probable it is.",
            'lmtool classify "a film to remember" -k 3',
        ),
    },
    "Measure": {
        "evaluate": Command(
            "Measure a model on texts that it was not trained on.",
            "lmtool evaluate test.txt",
        ),
        "compare": Command(
            "Compare two models on a text, with a 95 % interval for the difference (paired "
            "bootstrap).",
            "lmtool compare a.safetensors b.safetensors -f test.txt",
        ),
        "pairs": Command(
            "Compare minimal pairs: in how many is the good sentence more probable than the "
            "bad one?",
            "lmtool pairs pairs.tsv --by phenomenon",
        ),
        "bleu": Command(
            "Measure translations and captions: BLEU against one reference or several.",
            "lmtool bleu reference.txt --explain < translation.txt",
        ),
        "surprisal": Command(
            "Show how surprising each word is: -log P(word | words before), entropy, rank, "
            "frequency.",
            "lmtool surprisal -f items.csv --text sentence --keep item,condition",
        ),
    },
    "Look inside": {
        "info": Command(
            "Show a model's card: recipe, corpus, training curve, every parameter and its shape.",
            "lmtool info model.safetensors",
        ),
        "report": Command(
            "Write a page about a model: card, network, training curve, and what it makes of "
            "texts.",
            "lmtool report model.safetensors -f test.txt -o report.html",
        ),
        "neighbours": Command(
            "List the words whose vectors are nearest to that of each WORD, or of each line "
            "of a file.",
            "lmtool neighbours king queen -k 5",
        ),
        "analogy": Command(
            "List the words that are to C as B is to A: whose vectors are nearest to B - A + C.",
            "lmtool analogy man king woman --explain",
        ),
        "vectors": Command(
            "Write the words' vectors as word2vec's text, or measure them by questions or ratings.",
            "lmtool vectors -o words.vec",
        ),
        "trace": Command(
            "Show a sentence's way through a language model, step by step, every product with "
            "its shapes.",
            'lmtool trace "Todd met Pete" --step 3',
        ),
        "gradcheck": Command(
            "Compare the gradients of a model of any kind with differences of its loss, in "
            "float64.",
            'lmtool gradcheck "Todd met Pete"',
        ),
        "export": Command(
            "Write the n-gram model of a language model as ARPA, which KenLM, SRILM and "
            "others read.",
            "lmtool export -m model.safetensors --arpa model.arpa",
        ),
    },
}

COMMANDS: dict[str, Command] = {k: v for group in GROUPS.values() for k, v in group.items()}


def run_of(name: str) -> Callable[..., None]:
    """What a command runs."""
    run: Callable[..., None] = import_module(f"lmtool.cli.{name}").run
    return run
