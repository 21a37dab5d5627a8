"""Ladder 7: the example corpora, and the perplexities that their README promises."""

import importlib.util
import json
import math
import re
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool.data.augment import stretched
from lmtool.data.readers.columns import read_tagged
from lmtool.data.readers.frames import read_frames
from lmtool.data.readers.utterances import read_utterances
from lmtool.inference.phrases import evaluate_phrases, phrases
from lmtool.music.abc import folded, read_abc, written_tunes
from lmtool.music.reading import FORMS

CORPORA = Path(__file__).parents[1] / "examples" / "corpora"
README = (CORPORA / "README.md").read_text(encoding="utf-8")
LABELS = CORPORA.parent / "labels"
REVIEWS = (LABELS / "README.md").read_text(encoding="utf-8")
TAGS = CORPORA.parent / "tags"
NAMES = (TAGS / "README.md").read_text(encoding="utf-8")
FRAMES = CORPORA.parent / "frames"
DRAWN = (FRAMES / "README.md").read_text(encoding="utf-8")
MUSIC = CORPORA.parent / "music"
ENDS = ("", "_valid")  # of the names of what is learnt, and of what is measured
GESTURES = ("gestures.jsonl", "gestures_valid.jsonl")


def row(name: str) -> list[str]:
    """The corpus's cells in the README's table."""
    line = next(line for line in README.splitlines() if line.startswith(f"| `{name}"))
    return [cell.strip() for cell in line.split("|")[3:-1]]


@pytest.mark.parametrize("name", ["todd_and_pete", "place_names"])
def test_generators_repeat_the_files(name: str, tmp_path: Path) -> None:
    script, again = CORPORA / f"make_{name}.py", tmp_path / "again.txt"
    subprocess.run([sys.executable, script, "--out", again], check=True)
    assert again.read_bytes() == (CORPORA / f"{name}.txt").read_bytes()


@pytest.mark.parametrize(("name", "split"), [("todd_and_pete", str.split), ("place_names", list)])
def test_counts_in_the_readme(name: str, split: object) -> None:
    text = (CORPORA / f"{name}.txt").read_text(encoding="utf-8")
    tokens = [token for line in text.splitlines() for token in split(line)]  # type: ignore[operator]
    counts = (len(text.splitlines()), len(tokens), len(set(tokens)), len(text.encode()))
    assert [int(re.sub(r"\D", "", cell)) for cell in row(name)[:4]] == list(counts)


def test_the_lists_are_what_their_script_hears(tmp_path: Path) -> None:
    folder = CORPORA.parent / "nbest"
    subprocess.run([sys.executable, folder / "make_nbest.py", "--out", tmp_path], check=True)
    for name in ("dev.jsonl", "test.jsonl"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
        rows = [json.loads(line) for line in (tmp_path / name).read_text("utf-8").splitlines()]
        rate = lmtool.wer([row["hyps"][0] for row in rows], [row["ref"] for row in rows]).wer
        said = (folder / "README.md").read_text(encoding="utf-8")
        assert f"| `{name}` | {len(rows)} | {rate:.2f} |" in said


def test_pairs_are_in_the_words_of_their_corpus() -> None:
    folder = CORPORA.parent / "pairs"
    _, *rows = (folder / "todd_and_pete.tsv").read_text(encoding="utf-8").splitlines()
    known = set((CORPORA / "todd_and_pete.txt").read_text(encoding="utf-8").split())
    used = {word for row in rows for part in row.split("\t")[1:] for word in part.split()}
    assert used <= known
    assert f"{len(rows)} pairs" in (folder / "README.md").read_text(encoding="utf-8")


Reviews = list[tuple[str, str]]


def reviews(name: str) -> Reviews:
    """(stars, review)"""
    lines = (LABELS / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return [(label, text) for label, text in (line.split("\t") for line in lines)]


def test_the_reviews_are_repeated_and_counted(tmp_path: Path) -> None:
    subprocess.run([sys.executable, LABELS / "make_reviews.py", "--folder", tmp_path], check=True)
    for name in ("reviews", "reviews_valid"):
        again, known = (folder / f"{name}.tsv" for folder in (tmp_path, LABELS))
        assert again.read_bytes() == known.read_bytes()
        pairs = reviews(name)
        words = list(chain.from_iterable(text.split() for _, text in pairs))
        ((_, most),) = Counter(label for label, _ in pairs).most_common(1)
        line = next(line for line in REVIEWS.splitlines() if line.startswith(f"| `{name}.tsv`"))
        cells = [re.sub(r"[^\d.]", "", cell) for cell in line.split("|")[2:-1]]
        counts = [len(pairs), len(words), len(set(words)), f"{100 * most / len(pairs):.1f}"]
        assert cells == list(map(str, counts))
    train, valid = ({text for _, text in reviews(name)} for name in ("reviews", "reviews_valid"))
    assert not train & valid


def runs(text: str, longest: int) -> set[str]:
    """The runs of words up to a length."""
    words = text.split()
    lengths = range(1, longest + 1)
    return {" ".join(words[i : i + n]) for n in lengths for i in range(len(words) - n + 1)}


def naive_bayes(train: Reviews, valid: Reviews, longest: int) -> float:
    """The share of labels that are right, each known run once a text, counts of one more."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for label, text in train:
        counts[label].update(runs(text, longest))
    n = Counter(label for label, _ in train)
    known = set().union(*counts.values())

    def logp(label: str, found: set[str]) -> float:
        total = counts[label].total() + len(known)
        return math.log(n[label]) + sum(math.log((counts[label][x] + 1) / total) for x in found)

    right = 0
    for label, text in valid:
        found = runs(text, longest) & known
        right += label == max(n, key=lambda one: logp(one, found))
    return right / len(valid)


def test_how_hard_the_reviews_are() -> None:
    train, valid = reviews("reviews"), reviews("reviews_valid")
    shares = [100 * naive_bayes(train, valid, longest) for longest in (1, 3)]
    assert 70 < shares[0] < shares[1] < 95
    stated = re.findall(r"(\d+\.\d) %", REVIEWS.split("Naive Bayes")[1].split("lmtool train")[0])
    assert [f"{share:.1f}" for share in shares] == stated


Sentences = list[tuple[tuple[str, ...], tuple[str, ...]]]


def tagged(name: str) -> Sentences:
    """(words, tags)"""
    return [(record.words, record.tags) for record in read_tagged(TAGS / name).records]


def test_the_names_are_repeated_and_counted(tmp_path: Path) -> None:
    subprocess.run([sys.executable, TAGS / "make_names.py", "--folder", tmp_path], check=True)
    for name in ("names.conll", "names_valid.conll", "names_brackets.txt"):
        assert (tmp_path / name).read_bytes() == (TAGS / name).read_bytes()
        sentences = tagged(name)
        words = list(chain.from_iterable(words for words, _ in sentences))
        n_names = sum(len(phrases(tags)) for _, tags in sentences)
        if name == "names_brackets.txt":
            n_names = sum(tags.count("1") for _, tags in sentences)
        line = next(line for line in NAMES.splitlines() if line.startswith(f"| `{name}`"))
        cells = [int(re.sub(r"\D", "", cell)) for cell in line.split("|")[3:-1]]
        assert cells == [len(sentences), len(words), len(set(words)), n_names]
    train, valid = ({words for words, _ in tagged(f"names{x}.conll")} for x in ("", "_valid"))
    assert not train & valid


def window(words: tuple[str, ...], at: int, places: range) -> list[tuple[int, str]]:
    """The words around one, each with where it stands."""
    return [(d, words[at + d] if 0 <= at + d < len(words) else "") for d in places]


def most_frequent_tags(train: Sentences) -> dict[str, str]:
    """Each word's; O of the others."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for words, tags in train:
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
    return {word: min(own, key=lambda tag: (-own[tag], tag)) for word, own in counts.items()}


def f1_by_frequency(train: Sentences, valid: Sentences) -> float:
    """F1 of giving each word its most frequent tag."""
    known = most_frequent_tags(train)
    given = [[known.get(word, "O") for word in words] for words, _ in valid]
    return evaluate_phrases(zip([tags for _, tags in valid], given, strict=True)).f1


def f1_by_window(train: Sentences, valid: Sentences, places: range) -> float:
    """F1 of naive Bayes over the words of a window, counts of a tenth more."""
    seen, n, values = Counter[object](), Counter[str](), set[tuple[int, str]]()
    for words, tags in train:
        for at, tag in enumerate(tags):
            found = window(words, at, places)
            n[tag] += 1
            seen.update((tag, one) for one in found)
            values.update(found)
    distinct = Counter(place for place, _ in values)

    def logp(tag: str, found: list[tuple[int, str]]) -> float:
        rest = [math.log((seen[tag, x] + 0.1) / (n[tag] + 0.1 * distinct[x[0]])) for x in found]
        return math.log(n[tag]) + sum(rest)

    def best(found: list[tuple[int, str]]) -> str:
        return max(sorted(n), key=lambda tag: logp(tag, found))

    given = [[best(window(words, i, places)) for i in range(len(words))] for words, _ in valid]
    return evaluate_phrases(zip([tags for _, tags in valid], given, strict=True)).f1


def test_how_hard_the_names_are() -> None:
    train, valid = tagged("names.conll"), tagged("names_valid.conll")
    found = [f1_by_frequency(train, valid)]
    found += [f1_by_window(train, valid, places) for places in (range(-4, 1), range(-4, 7))]
    assert found[0] < 70 and found[0] + 5 < found[1] < found[2] - 15 and found[2] < 98
    stated = re.findall(r"F1 (?:of )?(\d+\.\d)", NAMES)
    assert [f"{f1:.1f}" for f1 in found] == stated[:3]


def test_what_comes_next_alone_tells_some_names() -> None:
    said = defaultdict(set)  # what is said up to a name and with it -> its types
    for words, tags in tagged("names.conll"):
        for name in phrases(tags):
            said[words[: name.end]].add(name.type)
    told_later = [start for start, types in said.items() if len(types) > 1]
    assert len(told_later) > 20
    assert any(start[:-1] == ("He", "said") for start in told_later)


@pytest.mark.parametrize(("name", "kind"), [("todd_and_pete", "word"), ("place_names", "char")])
def test_expected_perplexities(name: str, kind: str) -> None:
    lm = lmtool.train(CORPORA / f"{name}.txt", tokens=kind)
    result = lm.provenance["result"]
    carried, by_line = re.findall(r"\d+\.\d+", row(name)[4])
    assert result["valid_perplexity"] == pytest.approx(float(carried), rel=0.03)
    assert result["valid_perplexity_sentence"] == pytest.approx(float(by_line), rel=0.03)
    if kind == "word":
        assert lm.score("Todd met Pete").log10_p > lm.score("Toad met Pit").log10_p + 5
        assert lm.score("Toad met Pit").n_oov == 0


def test_expected_accuracy_of_the_reviews() -> None:
    paths = (LABELS / "reviews.tsv", LABELS / "reviews_valid.tsv")
    classifier = lmtool.train(paths[0], valid=paths[1], writes="label", members=1, epochs=5)
    stated = re.findall(r"(\d+\.\d) %", REVIEWS.split("lmtool train")[1])
    result = classifier.evaluate(paths[1])
    assert result.accuracy == pytest.approx(float(stated[0]), abs=2)
    assert result.accuracy > 80 > 40 > result.majority
    text = "the kite from the market : we went with Anna . the paper was {} ."
    stars = [classifier.classify(text.format(word)).label for word in ("perfect", "awful")]
    assert stars == sorted(stars, reverse=True)
    assert stars[0] != stars[1]


def test_expected_f1_of_the_names() -> None:
    paths = (TAGS / "names.conll", TAGS / "names_valid.conll")
    stated = re.findall(r"F1 (\d+\.\d)", NAMES.split("lmtool train")[1])
    for both, figure in zip((True, False), stated, strict=True):
        tagger = lmtool.train(paths[0], valid=paths[1], writes="tags", members=1, both=both)
        result = tagger.evaluate(paths[1])
        assert result.f1 == pytest.approx(float(figure), abs=2)
        if both:
            assert 80 < result.f1 < 98
            spans = tagger.tag("He said Maruti needs a new gearbox .").spans
            assert [(span.type, span.text) for span in spans] == [("CAR", "Maruti")]


def drawn(name: str) -> tuple[list[str], list[Any]]:
    """Labels and frames."""
    clips = list(read_frames(FRAMES / name).records)
    return [clip.labels[0] for clip in clips], [clip.source for clip in clips]


def test_the_gestures_are_repeated_and_counted(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FRAMES / "make_gestures.py", "--folder", tmp_path], check=True)
    for name in GESTURES:
        assert (tmp_path / name).read_bytes() == (FRAMES / name).read_bytes()
        labels, clips = drawn(name)
        line = next(line for line in DRAWN.splitlines() if line.startswith(f"| `{name}`"))
        cells = [int(re.sub(r"\D", "", cell)) for cell in line.split("|")[2:-1]]
        lengths = [len(clip) for clip in clips]
        assert cells == [len(clips), sum(lengths), max(lengths), len(set(labels))]


def right_by_the_nearest(centre: bool) -> float:
    """The share of validation clips that the nearest training clip, at 24 frames, is right for."""

    def vectors(clips: list[Any]) -> Any:
        bare = [clip - clip.mean(0) * centre for clip in clips]
        return np.stack([stretched(clip, 24 / len(clip)).ravel() for clip in bare])

    (known, train), (wanted, valid) = map(drawn, GESTURES)
    distances = ((vectors(valid)[:, None] - vectors(train)) ** 2).sum(2)
    nearest = [known[place] for place in distances.argmin(1)]
    return 100 * float(np.mean([a == b for a, b in zip(nearest, wanted, strict=True)]))


def test_expected_accuracy_of_the_gestures() -> None:
    paths = [FRAMES / name for name in GESTURES]
    stated = [float(x) for x in re.findall(r"(\d+\.\d) %", DRAWN)]
    found = [right_by_the_nearest(False), right_by_the_nearest(True)]
    assert found == pytest.approx(stated[:2], abs=0.05)
    options: Any = {"reads": "frames", "writes": "label", "members": 1}
    classifier = lmtool.train(paths[0], valid=paths[1], **options)
    result = classifier.evaluate(paths[1])
    assert result.accuracy == pytest.approx(stated[2], abs=3)
    assert found[0] < 70 < found[1] < 80 < result.accuracy < 98


def test_the_tunes_are_repeated_counted_and_right(tmp_path: Path) -> None:
    subprocess.run([sys.executable, MUSIC / "make_tunes.py", "--folder", tmp_path], check=True)
    table = (MUSIC / "README.md").read_text(encoding="utf-8")
    for name, form in (("tunes.abc", "abc"), ("chorales.txt", "notes")):
        content = (MUSIC / name).read_bytes()
        assert (tmp_path / name).read_bytes() == content
        tunes = list(FORMS[form](enumerate(content.decode().split("\n"), 1), name))
        assert all(tune.right for tune in tunes)
        line = next(line for line in table.splitlines() if line.startswith(f"| `{name}`"))
        cells = [int(re.sub(r"\D", "", cell)) for cell in line.split("|")[2:4]]
        assert cells == [len(tunes), len(content)]


def test_expected_share_of_new_tunes_whose_bars_add_up() -> None:
    numbered = enumerate((MUSIC / "tunes.abc").read_text(encoding="utf-8").split("\n"), 1)
    lines = [folded(tune) for tune in written_tunes(numbered)]
    options: Any = {"hidden": 160, "batch": 16, "bptt": 40, "lr": 0.01, "dropout": 0.1}
    once: Any = {"tokens": "char", "members": 1, "epochs": 4, "shards": 1}
    lm = lmtool.train(sentences=lines, **once, **options)
    samples = lm.samples(n=40, prompt="X:1;", temperature=0.7, max_words=400, seed=1)
    tunes = list(read_abc(enumerate((sample.text for sample in samples), 1), "samples"))
    assert len(tunes) == 40
    assert sum(tune.right for tune in tunes) >= 10


def figures(folder: str) -> list[float]:
    """The BLEUs in a README, in order."""
    readme = (CORPORA.parent / folder / "README.md").read_text(encoding="utf-8")
    return [float(figure) for figure in re.findall(r"BLEU (\d+\.\d)", readme)]


def test_expected_bleu_of_the_captions() -> None:
    folder = CORPORA.parent / "captions"
    train, valid = ([folder / f"pictures{x}.npy", folder / f"captions{x}.tsv"] for x in ENDS)
    options: Any = {"hidden": 128, "embed": 128, "batch": 64, "lr": 0.003, "dropout": 0.3}
    once: Any = {"reads": "vector", "members": 1, "epochs": 12, "shards": 1}
    captioner = lmtool.train(train, valid=valid, **once, **options)
    result = captioner.evaluate(valid)
    nearest, _, stated = figures("captions")
    assert result.bleu == pytest.approx(stated, abs=5)
    assert nearest + 10 < 50 < result.bleu < 95
    assert (result.n, result.n_texts) == (100, 400)


def test_expected_bleu_of_the_translations() -> None:
    folder = CORPORA.parent / "translation"
    train, valid = ([folder / f"phrases{x}.{side}" for side in ("hi", "en")] for x in ENDS)
    options: Any = {"hidden": 128, "embed": 128, "batch": 32, "lr": 0.004, "dropout": 0.2}
    once: Any = {"reads": "text", "tokens": "word", "members": 1, "epochs": 4, "shards": 1}
    translator = lmtool.train(train, valid=valid, **once, **options)
    result = translator.evaluate(valid)
    nearest, _, stated = figures("translation")
    assert result.bleu == pytest.approx(stated, abs=5)
    assert nearest + 30 < 50 < result.bleu < 95
    assert translator.attends


SPEECH = CORPORA.parent / "speech"


def spoken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, a few utterances of which are written."""
    script = importlib.util.spec_from_file_location("make_corpus", SPEECH / "make_corpus.py")
    assert script is not None and script.loader is not None
    module = importlib.util.module_from_spec(script)
    monkeypatch.setitem(sys.modules, "make_corpus", module)
    script.loader.exec_module(module)
    monkeypatch.setattr(module, "SIZES", {"train": 8, "valid": 3, "test": 3})
    monkeypatch.setattr(module, "N_SENTENCES", 500)
    monkeypatch.setattr(sys, "argv", ["make_corpus.py", str(folder)])
    module.main()
    return module


def test_the_village_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = spoken(tmp_path / "a", monkeypatch)
    found = {
        name: list(read_utterances(tmp_path / "a" / f"{name}.tsv").records) for name in module.SIZES
    }
    assert {name: len(some) for name, some in found.items()} == module.SIZES
    lines = (tmp_path / "a/text.txt").read_text().splitlines()
    told = {word for line in lines for word in line.split()}
    assert told == set(module.WORDS) and len(lines) == module.N_SENTENCES
    for one in chain(*found.values()):
        assert one.text and set(one.text.split()) <= told
        assert one.seconds and 0.5 < one.seconds < 6 and one.source.std() > 1
    speakers = [{one.speaker for one in some} for some in found.values()]
    assert not speakers[0] & speakers[1] and not speakers[1] & speakers[2]


def test_the_village_speaks_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        spoken(tmp_path / name, monkeypatch)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*")]
    assert len(files) == 18
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_expected_word_errors_of_the_village(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SPEECH / "make_corpus.py", tmp_path], check=True)
    train, valid, test = (tmp_path / f"{name}.tsv" for name in ("train", "valid", "test"))
    sizes: Any = {"layers": 1, "hidden": 64, "batch": 8, "lr": 0.006, "dropout": 0.1, "epochs": 12}
    plain: Any = dict.fromkeys(("stretch", "warp", "channel"), 0.0)
    heard = lmtool.train(train, valid=valid, reads="frames", shards=1, **sizes, **plain)
    told: Any = lmtool.train(tmp_path / "text.txt", ngram=3, members=0)
    greedy = heard.evaluate(test, threads=2)
    helped = heard.evaluate(test, lm=told, lm_weight=0.5, beam=16, threads=2)
    assert greedy.n_utterances == helped.n_utterances == 200
    assert greedy.wer > 5 and helped.wer <= greedy.wer / 2
    stated = re.findall(r"(\d+\.\d) %", (SPEECH / "README.md").read_text(encoding="utf-8"))
    assert greedy.wer == pytest.approx(float(stated[0]), abs=5)
    assert helped.wer == pytest.approx(float(stated[1]), abs=2)
