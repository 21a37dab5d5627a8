"""The table of dialects of ``score``: a new one is a new file and a line here."""

from lmtool.cli.formats import (
    complexity,
    kaldi,
    kenlm,
    lmzoo,
    people,
    records,
    rnnlm,
    srilm,
    theanolm,
)
from lmtool.cli.formats.base import Format, Job
from lmtool.cli.formats.people import factors

__all__ = ["FORMATS", "Format", "Job", "factors"]

FORMATS: dict[str, Format] = {
    "table": people.FORMAT,
    "tsv": records.TSV,
    "csv": records.CSV,
    "jsonl": records.JSONL,
    "srilm": srilm.FORMAT,
    "kenlm": kenlm.FORMAT,
    "rnnlm": rnnlm.FORMAT,
    "theanolm": theanolm.FORMAT,
    "lmzoo": lmzoo.FORMAT,
    "complexity": complexity.FORMAT,
    "kaldi": kaldi.FORMAT,
}
