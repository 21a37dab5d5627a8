"""Word vectors learnt by lmtool and by gensim: the same text, window and number of negatives."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import (
    SEED,
    Options,
    Table,
    installed,
    long_calls_per_second,
    say,
    write_text,
)
from benchmarks.peers import THREADS, LmtoolTrainer
from benchmarks.throughput import Arms, measures, names
from lmtool.data.windows import Running
from lmtool.kinds import Material
from lmtool.kinds.word_embedding import KIND
from lmtool.models.word_embedding import NEGATIVES
from lmtool.settings import TextSettings, TrainSettings, WordVectorSettings
from lmtool.text.vocabulary import EOS_ID
from lmtool.training.session import fresh_weights

__all__ = ["run"]

SIZE, WINDOW, LEAST, SUBSAMPLE = 100, 5, 5, 1e-3
MEGABYTES = 10  # of a generated text
ANY = 1_000_000  # words
NETWORK = WordVectorSettings(embed=SIZE, window=WINDOW, subsample=SUBSAMPLE)
GENSIM = "gensim"


class Text(NamedTuple):
    """A file, and what lmtool makes of it."""

    path: Path
    material: Material

    @property
    def words(self) -> int:
        """All of them, rare ones too."""
        return int(np.count_nonzero(self.material.train.ids != EOS_ID))

    def ours(self, output: str) -> LmtoolTrainer:
        """Batches, rate and negatives as they are by default."""
        asked = TrainSettings(output=output, epochs=1, shards=max(THREADS))
        settings, recipe = KIND.plan(NETWORK, asked, self.material, 0.0)
        start = fresh_weights(KIND, settings, self.material, SEED)
        return LmtoolTrainer(KIND, settings, self.material, recipe, start)

    def theirs(self, output: str) -> Any:
        """gensim's, its vocabulary built."""
        package = importlib.import_module("gensim.models")
        model = package.Word2Vec(
            vector_size=SIZE,
            window=WINDOW,
            min_count=LEAST,
            sample=SUBSAMPLE,
            negative=int(NEGATIVES),
            sg=int(output == "skipgram"),
            seed=SEED,
        )
        model.build_vocab(corpus_file=str(self.path))
        return model


@contextmanager
def text_of(options: Options) -> Iterator[Text]:
    """train.txt of ``--data``, or a generated one."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "text.txt")
        if options.data:
            path = options.data / "train.txt"
        else:
            write_text(path, MEGABYTES)
        request = SimpleNamespace(
            text=TextSettings(vocab_size=ANY, min_count=LEAST), network=NETWORK
        )
        material = KIND.prepare([path], (), request, Path(folder), None)
        assert isinstance(material.train, Running)
        yield Text(path, material)


def trained(text: Text, output: str, seconds: float) -> Arms:
    """Words a second over whole passes."""
    ours, share = text.ours(output), text.words / len(text.material.train.ids)

    def by_lmtool(n: int) -> float:
        return ours.speed_of_passes(n, seconds) * share

    arms: Arms = {("lmtool", n): partial(by_lmtool, n) for n in THREADS}
    if installed(GENSIM):
        theirs = text.theirs(output)
        arms |= {(GENSIM, n): partial(passes, theirs, text, n, seconds) for n in THREADS}
    return arms


def passes(model: Any, text: Text, threads: int, seconds: float) -> float:
    """gensim's, which reads the file itself."""
    model.workers = threads
    given = {"corpus_file": str(text.path), "total_words": model.corpus_total_words, "epochs": 1}
    return long_calls_per_second(lambda: model.train(**given), seconds) * text.words


def run(options: Options) -> Iterator[Table]:
    """One table; the text is train.txt of ``--data`` where it is given."""
    if not installed(GENSIM):
        say("vectors: gensim is not installed, so lmtool runs alone")
    with text_of(options) as text:
        rows = [
            [output, *measures(trained(text, output, options.seconds), options.repeats, GENSIM)]
            for output in ("skipgram", "cbow")
        ]
        title = f"Learning vectors of {SIZE} numbers, window {WINDOW}, {NEGATIVES:.0f} negatives"
        about = f"{text.words:,} words, {len(text.material.parts):,} different"
        yield Table(f"{title}, words/s ({about})", ("output", *names(GENSIM)), rows)
