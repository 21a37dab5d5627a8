"""Seconds until a validation perplexity is reached: lmtool, PyTorch's example, KenLM."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import SEED, Cell, Options, Table, elapsed, say
from benchmarks.peers import (
    BATCH,
    BPTT,
    Network,
    TorchTrainer,
    has_torch,
    network,
    torch,
    torch_logp,
)
from lmtool.arrays import Ids
from lmtool.inference.evaluate import cut, perplexity
from lmtool.settings import ModelSettings, TextSettings
from lmtool.text.corpus import prepare
from lmtool.text.vocabulary import EOS_ID, UNK_ID, Vocabulary

__all__ = ["run"]

TARGETS = (150, 131, 115, 100)  # perplexities
BUDGETS = ("1m", "10m")  # of lmtool

# pytorch/examples, word_language_model: main.py --tied
EXAMPLE = ModelSettings("lstm", layers=2, hidden=200, embed=200)
LR, CLIP, DROPOUT, VALID_STREAMS = 20.0, 0.25, 0.2, 10
PER_EPOCH = 4  # validations, which the clock does not count; the example's own are every fourth


class Point(NamedTuple):
    """Where a system stands after some seconds."""

    seconds: float
    perplexity: float  # the state carried over lines, where there is a state
    by_line: float | None = None  # each line from zero state


Curves = dict[str, list[Point]]


class Text(NamedTuple):
    """What the peers read: the tokens that lmtool sees."""

    vocabulary: Vocabulary
    train: Ids
    valid: Ids


def run(options: Options) -> Iterator[Table]:
    """Every point, then the seconds until each target."""
    data = options.data or Path()
    train, valid = data / "train.txt", data / "valid.txt"
    with TemporaryDirectory() as name:
        folder = Path(name)
        curves = {"lmtool": [lmtool_point(train, valid, budget, folder) for budget in BUDGETS]}
        vocabulary, *corpora = prepare([train], [valid], TextSettings(), folder)
        text = Text(vocabulary, *(corpus.ids for corpus in corpora))
        curves |= peers(text, 60 * options.minutes, folder)
    yield points(curves)
    yield targets(curves)


def peers(text: Text, seconds: float, folder: Path) -> Curves:
    """Those that are there."""
    found: Curves = {}
    if has_torch():
        found["PyTorch"] = torch_curve(text, seconds)
    else:
        say("quality: PyTorch is not installed, so it is left out")
    if shutil.which("lmplz") and shutil.which("query"):
        found["KenLM"] = [kenlm_point(text, folder)]
    else:
        say("quality: KenLM's lmplz and query are not on PATH, so it is left out")
    return found


def points(curves: Curves) -> Table:
    """What was seen."""
    columns = ("system", "seconds", "validation perplexity", "line by line")
    rows = [[name, *point] for name, curve in curves.items() for point in curve]
    return Table("Validation perplexity after seconds of training", columns, rows)


def targets(curves: Curves) -> Table:
    """The same, by perplexity."""
    ratios = (f"{name} / lmtool" for name in curves if name != "lmtool")
    columns = ("perplexity", *(f"{name}, s" for name in curves), *ratios)
    rows = [[str(target), *reached(curves, target)] for target in TARGETS]
    return Table("Seconds until a validation perplexity is reached", columns, rows)


def reached(curves: Curves, target: float) -> list[Cell]:
    """Seconds of each system, then over lmtool's; None where one does not get there."""
    ours, *theirs = (
        min((point.seconds for point in curve if point.perplexity <= target), default=None)
        for curve in curves.values()
    )
    return [ours, *theirs, *(time / ours if ours and time else None for time in theirs)]


def lmtool_point(train: Path, valid: Path, budget: str, folder: Path) -> Point:
    """A run of its own against the clock, as a whole process."""
    model = folder / f"{budget}.safetensors"
    files = [str(train), "--valid", str(valid), "--model", str(model)]
    start = time.perf_counter()
    result = json.loads(
        output([sys.executable, "-m", "lmtool", "train", *files, "--time", budget, "-q", "--json"])
    )
    seconds = time.perf_counter() - start
    return Point(seconds, result["valid_perplexity"], result["valid_perplexity_sentence"])


def output(command: list[str], text: str | None = None) -> str:
    """What a command prints when it reads ``text``."""
    done = subprocess.run(command, check=True, input=text, stdout=subprocess.PIPE, encoding="utf-8")
    return done.stdout


# --- PyTorch --------------------------------------------------------------------------------


def torch_curve(text: Text, seconds: float) -> list[Point]:
    """The example's training, until the time is up or the last target is reached."""
    example = example_network(text.vocabulary.n_tokens)
    optimizer = torch().optim.SGD(example.modules.parameters(), LR)
    trainer = TorchTrainer(example, optimizer, text.train, CLIP)
    steps = max(1, len(text.train) // (BATCH * BPTT * PER_EPOCH))
    curve: list[Point] = []
    spent = 0.0
    while spent < seconds and not (curve and curve[-1].perplexity <= min(TARGETS)):
        spent += elapsed(lambda: [trainer.step() for _ in range(steps)])
        curve.append(Point(spent, torch_perplexity(example, text.valid)))
        anneal(optimizer, [point.perplexity for point in curve])
    return curve


def example_network(n_tokens: int) -> Network:
    """As the example draws it."""
    torch().manual_seed(SEED)
    example = network(EXAMPLE, n_tokens, DROPOUT)
    torch().nn.init.uniform_(example.embedding.weight, -0.1, 0.1)
    torch().nn.init.zeros_(example.output.bias)
    return example


def torch_perplexity(example: Network, valid: Ids) -> float:
    """On the validation ids, without dropout, the state carried."""
    example.modules.eval()
    logp = torch_logp(example, *cut(valid, VALID_STREAMS))
    example.modules.train()
    return perplexity(logp, len(valid))


def anneal(optimizer: Any, perplexities: list[float]) -> None:
    """A quarter of the learning rate after an epoch that was not the best so far."""
    epochs = perplexities[PER_EPOCH - 1 :: PER_EPOCH]
    if len(perplexities) % PER_EPOCH == 0 and epochs[-1] > min(epochs):
        optimizer.param_groups[0]["lr"] /= 4


# --- KenLM ----------------------------------------------------------------------------------


def kenlm_point(text: Text, folder: Path) -> Point:
    """A 5-gram, modified Kneser-Ney; only its estimation is timed."""
    train, arpa = folder / "kenlm.txt", folder / "kenlm.arpa"
    train.write_text(respelled(text.vocabulary, text.train), "utf-8")
    command = ["lmplz", "-o", "5", "-T", str(folder), "--text", str(train), "--arpa", str(arpa)]
    seconds = elapsed(output, [*command, "--discount_fallback"])
    valid = respelled(text.vocabulary, text.valid)
    summary = output(["query", "-v", "summary", str(arpa)], valid)
    (found,) = re.findall(r"Perplexity including OOVs:\s*(\S+)", summary)
    return Point(seconds, float(found), float(found))


def respelled(vocabulary: Vocabulary, ids: Ids) -> str:
    """The lines as KenLM takes them: it refuses a literal <unk>."""
    words = np.array(vocabulary.tokens, object)
    words[[EOS_ID, UNK_ID]] = "\n", "[unk]"
    return " ".join(words[ids])
