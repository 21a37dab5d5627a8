"""Dialects of ``score``: each turns a stream of scores into lines.

A new dialect is a file that ends in ``FORMAT = Format(...)`` and a line in FORMATS.
"""

from lmtool.cli.formats import (
    complexity,
    jsonl,
    kaldi,
    kenlm,
    lmzoo,
    records,
    rnnlm,
    srilm,
    table,
    theanolm,
)
from lmtool.cli.formats.base import Format, Job

__all__ = ["FORMATS", "LEVELS", "Format", "Job"]

LEVELS = ("word", "token", "sentence", "corpus")

FORMATS: dict[str, Format] = {
    "table": table.FORMAT,
    "tsv": records.TSV,
    "csv": records.CSV,
    "jsonl": jsonl.FORMAT,
    "srilm": srilm.FORMAT,
    "kenlm": kenlm.FORMAT,
    "rnnlm": rnnlm.FORMAT,
    "theanolm": theanolm.FORMAT,
    "lmzoo": lmzoo.FORMAT,
    "complexity": complexity.FORMAT,
    "kaldi": kaldi.FORMAT,
}
