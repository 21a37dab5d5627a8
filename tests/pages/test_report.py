"""Reports of every kind: they stand alone, say all in text, and nothing in a model runs."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import model_file
from lmtool.cli.app import main
from lmtool.models.language_model import LanguageModel, initialise
from lmtool.pages.elements import e, spelled
from lmtool.pages.page import Item, json_of, written
from lmtool.pages.shades import BLUES, HEAT, ink
from lmtool.settings import ModelSettings, TextSettings
from lmtool.text.vocabulary import EOS, UNK, Vocabulary
from tests.pages.conftest import Cases

KINDS = (
    "language model", "counts", "mixture", "pieces", "tagger", "classifier", "frame classifier",
    "vector classifier", "translator", "captioner", "recogniser", "word embedding",
)  # fmt: skip
VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = (
    "</script>", "<script>alert(1)</script>", "<img/src=x/onerror=alert(1)>", "<!--", "]]>",
    "&amp;", '"', "'", "javascript:alert(1)", "</style>", "{{7*7}}", "x" * 1000, "\U0001f422",
    "\u202eright", "\u2066left", "\x1b[2J", "\x00", "\x85", "\u2028", "\ufffe", "\u0301",
    "\u05e9\u05dc\u05d5\u05dd", "\u0939\u093f\u0928\u094d\u0926\u0940",
)  # fmt: skip
NAMESPACE = "http://www.w3.org/2000/svg"  # a name, which nothing fetches
STYLE = Path(lmtool.__file__).parent / "pages/style.css"


class Page(HTMLParser):
    """What a page consists of; its tags balance."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text: list[str] = []
        self.verbatim: dict[str, list[str]] = {"script": [], "style": []}
        self.figures: list[list[str]] = []
        self.tables: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, *one) for one in attrs]
        for name, found in (("figure", self.figures), ("table", self.tables)):
            if tag == name:
                found.append([])
            elif name in self.open:
                found[-1].append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        self.verbatim.get(inside, self.text).append(data)

    def values(self, name: str) -> list[str | None]:
        """Those of an attribute."""
        return [value for _, own, value in self.attributes if own == name]


def checked(text: str) -> Page:
    """The page, if it stands alone and is whole."""
    page = Page(text)
    assert not {"img", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    names = {name for _, name, _ in page.attributes}
    assert not any(name.startswith("on") or name in {"style", "src", "action"} for name in names)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert all(str(to).startswith("#") and str(to)[1:] in ids for to in page.values("href"))
    assert set(page.values("aria-labelledby")) <= set(ids)
    (style,), *scripts = page.verbatim["style"], page.verbatim["script"][-1]
    assert not re.search(r"url\(|@import|https?:", style + scripts[0].replace(NAMESPACE, ""))
    for content, what in ((style, "style"), (scripts[0], "script")):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{what}-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text and "unsafe" not in text
    for data in page.verbatim["script"][:-1]:
        assert json.loads(data) is not None and not set("<>&") & set(data)
    assert all(figure.count("figcaption") == 1 for figure in page.figures)
    assert all(table.count("caption") == 1 and "th" in table for table in page.tables)
    assert text.count("\r") == 0
    return page


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_each_kind(kind: str, cases: Cases) -> None:
    model, files = cases(kind)
    found = lmtool.report(model, files)
    page = checked(found.html())
    assert found.html() == lmtool.report(model, files).html()
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert set(page.values("id")) >= {name for name in plain if name not in ("model", "title")}
    assert repr(found).startswith(f"Report('{kind}")
    measured = set() if kind == "word embedding" else {"measures"}  # questions measure vectors
    assert {"card"} | measured <= set(plain) and found.title in "".join(page.text)
    assert str(Path(model).parent) not in "".join(page.text).replace(command(plain), "")


def test_a_card_says_what_is_mixed(cases: Cases) -> None:
    facts = dict(lmtool.report(cases("mixture").model).to_dict()["card"]["facts"])
    names = facts["mixture"].split()[::2]
    assert names == ["network", "2-gram"] and facts["network"].startswith("lstm, 1 x 4 hidden")
    facts = dict(lmtool.report(cases("counts").model).to_dict()["card"]["facts"])
    assert "mixture" not in facts and facts["network"].startswith("none: ")


def command(plain: dict[str, Any]) -> str:
    """That of the training, which names files as they were given."""
    return str(plain["card"]["command"])


@pytest.mark.parametrize("kind", ["language model", "counts", "tagger", "translator", "captioner"])
def test_without_texts_a_line_says_how_to_give_them(kind: str, cases: Cases) -> None:
    found = lmtool.report(cases(kind).model)
    assert "measures" not in found.to_dict() and "-f FILE" in "".join(checked(found.html()).text)


def test_measures_are_those_of_evaluate(cases: Cases) -> None:
    model, (file,) = cases("language model")
    lm: Any = lmtool.load(model)
    own = lmtool.report(model, file).to_dict()["measures"]
    assert own["perplexity"] == pytest.approx(lm.evaluate(file).perplexity)
    assert sum(group["n"] for group in own["frequency"]) == own["n"]
    assert sum(group["share"] for group in own["length"]) == pytest.approx(1)
    model, (file,) = cases("tagger")
    tagger: Any = lmtool.load(model)
    own = lmtool.report(model, file).to_dict()["measures"]
    assert own["f1"] == pytest.approx(tagger.evaluate(file).f1)
    assert own["known"][1] + own["unknown"][1] == 48 == sum(map(sum, own["confusion"]["counts"]))
    model, files = cases("translator")
    writer: Any = lmtool.load(model)
    own = lmtool.report(model, files).to_dict()["measures"]
    assert own["bleus"][3] == pytest.approx(writer.evaluate(files).bleu)


def test_given_sentences_are_looked_into(cases: Cases) -> None:
    found = lmtool.report(cases("language model").model, text=["Todd met Zork"]).to_dict()
    (line,) = found["surprise"]["lines"]
    assert [word["word"] for word in line] == ["Todd", "met", "Zork", "<EOS>"]
    assert [word["oov"] for word in line] == [False, False, True, False]
    assert all(len(word["guesses"]) == 6 for word in line)
    tagged = lmtool.report(cases("tagger").model, text=["Todd met Pete"]).to_dict()["spans"]
    words = " ".join(span["words"] for span in tagged["sentences"][0])
    assert words == "Todd met Pete" and tagged["sentences"][0][0]["true"] is None


def hostile(tokens: tuple[str, ...], hidden: int = 4) -> LanguageModel:
    """Random weights, large enough that every word is drawn."""
    settings = ModelSettings(embed=hidden, hidden=hidden)
    counts = np.arange(len(tokens) + 2, 0, -1).astype(np.int64)
    vocabulary = Vocabulary((EOS, UNK, *tokens), counts, TextSettings())
    rng = np.random.default_rng(1)
    parameters = initialise(settings, counts, rng)
    parameters.flat[:] = rng.normal(0, 0.3, parameters.flat.size)
    said = "</script><script>alert(2)</script>"
    curve = [{"step": 1, "</script>": 3.0}, {"step": float("nan")}, "x"]
    claims = {"command": said, "recipe": {said: said}, "curve": curve, "versions": [1]}
    return LanguageModel(settings, vocabulary, parameters, claims | {"result": said})


@pytest.fixture(scope="module")
def hostile_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a file."""
    path = tmp_path_factory.mktemp("hostile") / "<b>&amp;.safetensors"
    model = hostile(tuple(t for t in HOSTILE if t.split() == [t]))
    model.provenance["curve"].pop(1)  # NaN is in no file
    model_file.save(model, path)
    return path


def test_a_hostile_vocabulary_is_text(hostile_model: Path) -> None:
    found = lmtool.report(hostile_model, text=[" ".join(HOSTILE)])
    page, text = checked(found.html()), found.html()
    assert page.tags.count("script") == 4 and page.tags.count("b") == 0
    shown = "".join(page.text)
    for token in HOSTILE:
        assert spelled(token)[:40] in shown or not token.split(), token
    assert not set("\x00\x1b\x85\u2028\u202e\u2066\ufffe") & set(text)
    items = [json.loads(data) for data in page.verbatim["script"][:-1]]
    assert any(item[0] == "</script>" for some in items for item in some)


def test_a_large_vocabulary_keeps_the_page_small(tmp_path: Path) -> None:
    model_file.save(hostile(tuple(f"word{n}" for n in range(10_000)), 8), tmp_path / "m")
    (tmp_path / "t.txt").write_text(
        "\n".join(" ".join(f"word{n * k}" for k in range(20)) for n in range(12))
    )
    text = lmtool.report(tmp_path / "m", tmp_path / "t.txt").html()
    assert len(text.encode()) < 500_000


def test_json_of_a_panel() -> None:
    assert json_of([Item("</script>", "&", [("\u2028", "1", float("nan"))])]) == (
        '[["\\u003c/script\\u003e","\\u0026",[["\\u2028","1",null]]]]'
    )


def test_elements_are_escaped() -> None:
    assert written(e("p", "a<b", e("b", "\x07"), "&", class_='"x')) == (
        '<p class="&quot;x">a&lt;b<b>\\x07</b>&amp;</p>'
    )


def luminance(colour: str) -> float:
    """Of sRGB, as WCAG has it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(a: str, b: str) -> float:
    """1 .. 21"""
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def test_contrast() -> None:
    style = STYLE.read_text(encoding="utf-8")
    for scheme in re.findall(r":root \{(.*?)\}", style, re.DOTALL):
        colours = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for name in ("ink", "soft", "accent"):
            assert contrast(colours[name], colours["paper"]) >= 4.5, name
            assert contrast(colours[name], colours["wash"]) >= 4.5, name
    for kind, shades in (("s", HEAT), ("b", BLUES[1:])):
        for n, shade in enumerate(shades, kind == "b"):
            (found,) = re.findall(rf"\.{kind}{n} {{ background: (#\w+); color: (#\w+)", style)
            assert found == (shade, ink(n, HEAT if kind == "s" else BLUES))
            assert contrast(*found) >= 4.5
    for scale in (list(HEAT), list(BLUES)):
        assert sorted(scale, key=luminance, reverse=True) == scale


def test_the_command(cases: Cases, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, (file,) = cases("language model")
    out = tmp_path / "r.html"
    assert main(["report", model, "-f", file, "-o", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == lmtool.report(model, file).html()
    assert capsys.readouterr().err.startswith(f"page      {out} (")
    assert main(["report", model, "-o", str(out)]) == 1
    assert "exists already; pass --overwrite or another --output" in capsys.readouterr().err
    assert main(["report", "-m", model, "-f", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(
        json.dumps(lmtool.report(model, file).to_dict())
    )
    (tmp_path / "blank.txt").write_text("\n")
    assert main(["report", model, "-f", str(tmp_path / "blank.txt"), "--json"]) == 1
    assert "blank.txt: no text in it" in capsys.readouterr().err
    deaf = cases("frame classifier").model
    assert main(["report", deaf, "--text", "Todd met Pete", "--json"]) == 1
    assert "--text: a frame classifier reads no sentences" in capsys.readouterr().err
    (tmp_path / "blank.txt").unlink()
    assert main(["report", model, "-f", "missing.txt", "-o", str(tmp_path / "s.html")]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
