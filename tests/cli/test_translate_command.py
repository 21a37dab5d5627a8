"""``lmtool translate``, ``lmtool caption``, and ``--given`` of the commands that ask for P."""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import photos
from lmtool.arrays import Array
from lmtool.cli import candidates, looks
from lmtool.cli.candidates import FORMATS, Job
from lmtool.inference.translate import Candidate, Translation
from tests.cli.conftest import Run
from tests.writers import Loads, captions, translations, writers

__all__ = ["writers"]

LINES = "der Hund\n\nHund sah die Katze\n"
ROWS = np.arange(9, dtype=np.float32).reshape(3, 3)
TWO = (
    Candidate("a ||| dog", ("a", "|||", "dog"), -1.25, -0.3125, None),
    Candidate("the\x1bdog", ("the\x1bdog",), -3.0, -1.5, None),
)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writers: Loads) -> Path:
    """A folder to stand in: the models ``de-en`` and ``eyes``, lines and vectors."""
    monkeypatch.chdir(tmp_path)
    writers("de-en", translations())
    writers("eyes", captions())
    (tmp_path / "a.de").write_text(LINES)
    np.save(tmp_path / "feats.npy", ROWS)
    (tmp_path / "feats.jsonl").write_text(
        "".join(json.dumps({"vector": row.tolist(), "id": "x"}) + "\n" for row in ROWS)
    )
    return tmp_path


def test_one_line_in_one_line_out(files: Path, run: Run) -> None:
    result = run("translate", "-m", "de-en", stdin=LINES)
    lines = result.out.splitlines()
    assert (result.code, result.err) == (0, "")
    assert len(lines) == 3 and lines[0] and not lines[1] and lines[2]
    for again in (("-f", "a.de"), ("-",), ("-f", "a.de", "--threads", 2)):
        assert run("translate", "-m", "de-en", *again, stdin=LINES).out == result.out
    assert run("translate", "-m", "de-en", "der Hund").out == lines[0] + "\n"
    assert run("translate", "-m", "de-en", "-f", "a.de", "-f", "a.de").out == result.out * 2


def test_scores_are_those_that_are_forced(files: Path, run: Run) -> None:
    shown = run("translate", "-m", "de-en", "-v", stdin=LINES).out.splitlines()
    assert shown[1] == ""
    (found,) = map(
        json.loads, run("translate", "-m", "de-en", "--json", "der Hund").out.splitlines()
    )
    log10_p, text = shown[0].split("\t")
    assert text == found["text"] and float(log10_p) == pytest.approx(found["log10_p"], rel=1e-5)
    several = json.loads(run("translate", "-m", "de-en", "--json", "-n", 5, "der Hund").out)
    for each in several["hypotheses"]:
        if each["tokens"]:
            words = ("score", "-m", "de-en", "--given", "der Hund", " ".join(each["tokens"]))
            assert json.loads(run(*words, "--json").out)["log10_p"] == each["log10_p"]


def test_objects(files: Path, run: Run) -> None:
    out = run("translate", "-m", "de-en", "--json", "-n", 2, stdin=LINES).out
    first, blank, _ = map(json.loads, out.splitlines())
    assert list(first) == ["source", "text", "log10_p", "hypotheses", "source_tokens"]
    assert list(first["hypotheses"][0]) == ["text", "tokens", "log10_p", "score", "attention"]
    assert first["source"] == "der Hund" and first["source_tokens"] == ["der", "Hund"]
    assert first["text"] == first["hypotheses"][0]["text"] and len(first["hypotheses"]) == 2
    looked = first["hypotheses"][0]["attention"]
    assert [sum(row) for row in looked] == pytest.approx([1] * len(looked))
    assert blank == {
        "source": "", "text": "", "log10_p": None, "hypotheses": [], "source_tokens": []
    }  # fmt: skip


def test_moses_to_the_byte() -> None:
    results = [Translation("x", TWO[0].text, -1.25, TWO), Translation("", "", None, ())]
    assert list(FORMATS["moses"](results, Job(False))) == [
        "0 ||| a &#124;&#124;&#124; dog ||| lm= -2.87823 ||| -0.719558\n"
        "0 ||| the\\x1bdog ||| lm= -6.90776 ||| -3.45388",
        "1 |||  ||| lm= 0 ||| 0",
    ]
    assert pytest.approx(-1.25 * math.log(10), rel=1e-5) == -2.87823
    assert list(FORMATS["text"](results, Job(True))) == ["-1.25\ta ||| dog", ""]


def test_several_in_a_pipe_and_for_people(
    files: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = run("translate", "-m", "de-en", "-n", 2, stdin=LINES).out.splitlines()
    assert [line.split(" ||| ")[0] for line in piped] == ["0", "0", "1", "2", "2"]
    assert piped == run("translate", "-m", "de-en", "-n", 2, "--format", "moses", "-f", "a.de"
                        ).out.splitlines()  # fmt: skip
    best = run("translate", "-m", "de-en", "-n", 1, "--format", "moses", stdin=LINES).out
    assert best.splitlines() == [piped[0], piped[2], piped[3]]
    monkeypatch.setattr(candidates, "is_terminal", lambda stream: True)
    shown = run("translate", "-m", "de-en", "-n", 2, "der Hund").out
    assert shown.startswith("der Hund\n") and re.search(r"^1 +\S.* -\d+\.\d{4}", shown, re.M)
    refused = run("translate", "-m", "de-en", "-n", 2, "--format", "text", "der Hund")
    assert refused.code == 2 and "text has one result a line; -n 2 needs" in refused.err


def test_where_it_looked(files: Path, run: Run) -> None:
    def lines(form: str, *words: object) -> list[str]:
        result = run("translate", "-m", "de-en", "--format", form, *words, "-f", "a.de")
        assert (result.code, result.err) == (0, "")
        return result.out.splitlines()

    (first, blank, last) = map(json.loads, lines("jsonl", "-n", 2))
    looked = np.array(first["hypotheses"][0]["attention"])
    most = looked[:-1].argmax(1).tolist()
    aligned = lines("pharaoh")
    assert aligned[0] == " ".join(f"{s}-{t}" for t, s in enumerate(most))
    assert len(aligned) == 3 and aligned[1] == "" and aligned[2]
    head, *rows = (line.split("\t") for line in lines("tsv", "-n", 2))
    assert ",".join(head) == "line,rank,target_position,target,source_position,source,weight"
    own = [row for row in rows if row[:2] == ["1", "1"]]
    assert [float(row[6]) for row in own] == pytest.approx(looked.ravel(), rel=1e-5)
    assert [row[3] for row in own[::2]] == [*first["hypotheses"][0]["tokens"], "<EOS>"]
    assert [row[5] for row in own[:2]] == ["der", "Hund"]
    assert sorted({(row[0], row[1]) for row in rows}) == [*zip("1133", "1212", strict=True)]
    blocks = "\n".join(lines("nematus")).split("\n\n")
    number, text, score, source, size = blocks[0].split("\n")[0].split(" ||| ")
    assert (number, source, size) == ("0", "der Hund", f"2 {len(looked)}")
    assert text == " ".join(first["hypotheses"][0]["tokens"]) and len(blocks) == 3
    natural = first["hypotheses"][0]["score"] * math.log(10)
    assert float(score) == pytest.approx(natural, rel=1e-5)
    assert blocks[1] == "1 |||  ||| 0 |||  ||| 0 0" and not blank["hypotheses"]
    grids = lines("attention", "-n", 2, "-v")
    assert grids[0].split("\t")[1] == first["text"] and grids[1].split() == ["der", "Hund"]
    percent = [line.split()[1:] for line in grids[2 : 2 + len(looked)]]
    assert percent == [[f"{100 * x:.0f}" if x >= 0.005 else "." for x in row] for row in looked]
    assert sum(line.split()[:1] == ["<EOS>"] for line in grids) == 4
    assert {each["text"] for each in last["hypotheses"]} <= {row[-1:] and row for row in (
        line.split("\t")[-1] for line in grids)}  # fmt: skip


def test_pictures_of_where_it_looked(
    files: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run("translate", "-m", "de-en", "-n", 2, stdin=LINES)
    made = ("--svg", "a.svg", "--html", "a.html")
    assert run("translate", "-m", "de-en", "-n", 2, *made, stdin=LINES) == plain
    page = (files / "a.html").read_text("utf-8")
    assert page.count("<figure>") == 4 and page.count("<table>") == 4
    assert (files / "a.svg").read_text("utf-8").count(">Katze</text>") == 2
    gone = run("translate", "-m", "de-en", "--svg", "no/a.svg", stdin=LINES)
    assert gone.code == 1 and "no/a.svg: cannot be written" in gone.err
    monkeypatch.setattr(looks, "has_colours", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    shaded = run("translate", "-m", "de-en", "--format", "attention", stdin=LINES).out
    assert "<EOS>" in shaded and "\x1b[" in shaded


def test_a_model_that_looks_nowhere(files: Path, run: Run, writers: Loads) -> None:
    writers("blind", translations(eyes=False))
    assert run("translate", "-m", "blind", "der Hund").code == 0
    asked = [("--format", name) for name in looks.LOOKS] + [("--svg", "a"), ("--html", "a")]
    for words in asked:
        result = run("translate", "-m", "blind", *words, "der Hund")
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert "looks nowhere" in result.err and words[0] in result.err
    assert not (files / "a").exists()
    several = run("translate", "-m", "de-en", "-n", 2, "--format", "pharaoh", "der Hund")
    assert several.code == 2 and "pharaoh has one result a line; -n 2 needs" in several.err
    eyes = run("caption", "-m", "eyes", "--format", "attention", "-f", "feats.npy")
    assert eyes.code == 2 and "'attention' is not one of text, table, moses, jsonl" in eyes.err


def test_options_of_the_search(files: Path, run: Run) -> None:
    def texts(*words: object) -> list[str]:
        found = run("translate", "-m", "de-en", "--json", *words, "der Hund").out
        return [" ".join(each["tokens"]) for each in json.loads(found)["hypotheses"]]

    assert max(len(text.split()) for text in texts("--max-length", 2, "-n", 5)) <= 2
    assert texts("-n", 3) == texts("-n", 5)[:3]
    assert texts("--length-norm", 0, "-n", 5) != texts("-n", 5)
    many = run("translate", "-m", "de-en", "-n", 6, "der Hund")
    assert many.code == 2 and "-n: must be at most --beam, 5, not 6" in many.err
    assert len(texts("-n", 6, "--beam", 6)) == 6
    wrong = run("translate", "-m", "de-en", "--beam", 0, "der Hund")
    assert wrong.code == 2 and "--beam: must be" in wrong.err


def test_captions_of_vectors(files: Path, run: Run) -> None:
    result = run("caption", "-m", "eyes", "-f", "feats.npy")
    lines = result.out.splitlines()
    assert (result.code, result.err, len(lines)) == (0, "", 3)
    assert run("caption", "-m", "eyes", "-f", "feats.jsonl").out == result.out
    stdin = (files / "feats.jsonl").read_text()
    assert run("caption", "-m", "eyes", stdin=stdin).out == result.out
    assert run("caption", "-m", "eyes", "-", stdin=stdin).out == result.out
    found = json.loads(
        run("caption", "-m", "eyes", "-f", "feats.npy", "--json").out.splitlines()[1]
    )
    assert found["source"] == "feats.npy:2" and found["hypotheses"][0]["attention"] is None
    words = ("score", "-m", "eyes", "--given", "feats.npy", "--row", 2, "--json", found["text"])
    assert json.loads(run(*words).out)["log10_p"] == found["log10_p"]


def test_pictures(files: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def features(paths: Sequence[str]) -> Array:
        return np.stack([ROWS[len(path) % 3] for path in paths])

    monkeypatch.setattr(photos, "EXTRACTOR", "chance")
    monkeypatch.setattr(photos, "features", features)
    found = run("caption", "-m", "eyes", "--json", "a.jpg", "bc.jpg")
    assert [json.loads(line)["source"] for line in found.out.splitlines()] == ["a.jpg", "bc.jpg"]
    rows = run("caption", "-m", "eyes", "-f", "feats.npy").out.splitlines()
    assert run("caption", "-m", "eyes", "a.jpg", "bc.jpg").out.splitlines() == [rows[2], rows[0]]
    monkeypatch.setattr(photos, "EXTRACTOR", "another")
    other = run("caption", "-m", "eyes", "a.jpg")
    assert other.code == 1 and "has learnt from vectors of chance, not of another" in other.err
    both = run("caption", "-m", "eyes", "a.jpg", "-f", "feats.npy")
    assert both.code == 2 and "give pictures or a file" in both.err


def test_vectors_of_another_width(files: Path, run: Run) -> None:
    np.save(files / "wide.npy", np.zeros((1, 4), np.float32))
    result = run("caption", "-m", "eyes", "-f", "wide.npy")
    assert result.code == 1 and "wide.npy:1: 4 numbers a vector, but 3 are expected" in result.err


def test_samples_and_next_words_about_a_source(files: Path, run: Run) -> None:
    given = ("-m", "de-en", "--given", "der Hund")
    first = run("sample", *given, "--seed", 1, "-n", 3)
    assert (first.code, len(first.out.splitlines())) == (0, 3)
    assert run("sample", "-m", "de-en", "--given", "die Katze", "--seed", 1, "-n", 3) != first
    best = run("next", *given, "-k", 1, "the").out.splitlines()
    assert len(best) == 2
    assert run("next", "-m", "eyes", "--given", "feats.npy", "the").code == 0
    ranked = run("score", *given, "--format", "tsv", "the dog", "a cat").out.splitlines()
    assert len(ranked) == 3


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("score", "-m", "de-en", "the"), 2, "--given: a translator writes about something"),
        (("sample", "-m", "eyes"), 2, "--given: a captioner writes about something"),
        (("next", "-m", "{lm}", "--given", "x"), 2, "--given: a language model writes about no"),
        (("next", "-m", "{lm}", "--row", "1"), 2, "--row: a language model writes about nothing"),
        (("next", "-m", "de-en", "--given", "x", "--row", "1"), 2, "--row: is of vectors in a f"),
        (("next", "-m", "de-en", "--given", " "), 1, "--given: the source is empty"),
        (("next", "-m", "eyes", "--given", "feats.npy", "--row", "9"), 1, "there is no row 9 in"),
        (("next", "-m", "eyes", "--given", "no.npy"), 1, "no.npy"),
        (("translate", "-m", "{lm}", "x"), 1, "is a language model (score, sample,"),
        (("translate", "-m", "eyes", "x"), 1, "is a captioner (caption, score,"),
        (("caption", "-m", "de-en", "x"), 1, "is a translator (translate, score,"),
        (("classify", "-m", "de-en", "x"), 1, "is a translator (translate, score,"),
        (("translate", "-m", "de-en", "a", "-f", "a.de"), 2, "give sentences or a file"),
        (("caption", "-m", "eyes", "-f", "a.de"), 1, "a.de:1"),
    ],
)  # fmt: skip
def test_what_does_not_fit(
    words: tuple[str, ...], code: int, message: str, files: Path, model: Path, run: Run
) -> None:
    result = run(*(word.format(lm=model) for word in words))
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1)
    assert message.replace("--given: ", "").replace("--row: ", "") in result.err
    assert message.split(":")[0] in result.err or ":" not in message


def test_from_python(files: Path, model: Path) -> None:
    translator = lmtool.load("de-en", lmtool.Translator)
    assert repr(translator) == "Translator(chance)"
    one = translator.translate("der Hund", n=2)
    first, blank = translator.translate_lines(["der Hund", ""], n=2)
    assert first == one and blank.text == ""
    text = " ".join(one.hypotheses[0].tokens) or "the"
    assert translator.score(text, given="der Hund") == translator.given("der Hund").score(text)
    scores = translator.score_lines([text, "", "a"], given=["der Hund", "x", ""], threads=2)
    assert [len(score.words) > 0 for score in scores] == [True, False, False]
    assert translator.sample(given="Hund", n=2, seed=1) == translator.sample(
        given="Hund", n=2, seed=1
    )
    assert translator.next("the", 3, given="Hund") == translator.given("Hund").next("the", 3)
    assert translator.info()["kind"] == "translator"
    assert repr(translator.given("Hund")) == "Given('Hund', 7 outputs)"
    with pytest.raises(lmtool.InputError, match="each line needs a source"):
        list(translator.score_lines(["a", "b"], given=["x"]))
    with pytest.raises(lmtool.InputError, match="for one source give"):
        translator.translate_lines("der Hund")
    with pytest.raises(lmtool.InputError, match="a str is wanted, not an int"):
        translator.translate(5)  # type: ignore[arg-type]
    with pytest.raises(lmtool.OptionError, match="beams"):
        translator.translate("x", beams=2)  # type: ignore[call-arg]
    captioner = lmtool.load("eyes", lmtool.Captioner)
    assert captioner.width == 3
    by_row = [captioner.caption(row) for row in ROWS]
    assert [one.text for one in captioner.caption_lines(ROWS)] == [one.text for one in by_row]
    assert [one.text for one in captioner.caption_lines(captioner.clips("feats.npy"))] == [
        one.text for one in by_row
    ]
    assert captioner.score("a dog", given=ROWS[1]).words
    with pytest.raises(lmtool.InputError, match="4 numbers a vector"):
        captioner.caption(np.zeros(4))
    with pytest.raises(lmtool.ModelFileError, match="is a translator"):
        lmtool.load("de-en", lmtool.Model)


def test_evaluate(files: Path, run: Run) -> None:
    (files / "a.de").write_text("der Hund\nHund sah die Katze\n")
    (files / "a.en").write_text("the dog\na dog saw the cat\n")
    (files / "a.tsv").write_text("der Hund\tthe dog\nHund sah die Katze\ta dog saw the cat\n")
    (files / "c.tsv").write_text("x\ta dog\nx\tthe dog\ny\tthe cat\nz\ta cat\n")
    result = run("evaluate", "-m", "de-en", "a.de", "a.en", "--json")
    found = json.loads(result.out)
    assert (result.code, found["file"], found["n"], found["n_texts"]) == (0, "a.de", 2, 2)
    assert set(found) >= {"bleu", "bleu_1", "bleu_4", "signature", "length_ratio", "perplexity"}
    several = run("evaluate", "-m", "de-en", "a.de", "a.en", "a.tsv", "--json").out.splitlines()
    assert [json.loads(line) | {"file": "a.de"} for line in several] == [found, found]
    rows = run("evaluate", "-m", "de-en", "a.tsv").out.splitlines()
    assert rows[0].startswith("bleu\t") and rows[-1].startswith("signature\tnrefs:1|")
    captioned = json.loads(run("evaluate", "-m", "eyes", "feats.npy", "c.tsv", "--json").out)
    assert (captioned["n"], captioned["n_texts"]) == (3, 4)
    assert captioned["signature"].startswith("nrefs:var|")
    (files / "turned.tsv").write_text(
        "mine\tyours\nthe dog\tder Hund\na dog saw the cat\tHund sah die Katze\n"
    )
    turned = run(
        "evaluate", "-m", "de-en", "turned.tsv", "--source", "yours", "--target", "mine", "--json"
    )
    assert json.loads(turned.out) | {"file": "a.de"} == found
    option = run("evaluate", "-m", "de-en", "a.tsv", "--label", "x")
    assert option.code == 2 and "is a translator; only a classifier" in option.err
    alone = run("evaluate", "-m", "de-en", "a.de")
    assert alone.code == 2 and "a.de has no file of translations after it" in alone.err
    (files / "b.en").write_text("the dog\n")
    unequal = run("evaluate", "-m", "de-en", "a.de", "b.en")
    assert unequal.code == 1 and "a.de has 2 lines, but b.en 1" in unequal.err


def test_evaluate_from_python(files: Path) -> None:
    translator = lmtool.load("de-en", lmtool.Translator)
    (files / "p.de").write_text("der Hund\n")
    (files / "p.en").write_text("the dog\n")
    both: list[str | Path] = ["p.de", Path("p.en")]
    by_file = translator.evaluate(both, beam=2, threads=2)
    assert by_file == translator.evaluate([("der Hund", "the dog")], beam=2)
    assert translator.evaluate([("der Hund", ["the dog", "a dog"])]).n_texts == 2
    captioner = lmtool.load("eyes", lmtool.Captioner)
    assert captioner.evaluate([(ROWS[0], "a dog"), (ROWS[1], ["a cat", "the cat"])]).n == 2
    cases: tuple[tuple[Any, str], ...] = (
        (["a", "b", "c"], "is wanted, not 3 paths"),
        ([("der Hund", " ")], "the text is empty"),
        ([("der Hund", [5])], "a str is wanted, not an int"),
        ([(5, "the dog")], "a str is wanted, not an int"),
        ([5], r"a pair \(source, text\) is wanted"),
        (5, "two paths, a path or a list of pairs is wanted, not an int"),
    )
    for wrong, message in cases:
        with pytest.raises(lmtool.InputError, match=message):
            translator.evaluate(wrong)
