"""Attention drawn on the terminal, as SVG and as a page, whatever the tokens hold."""

import base64
import hashlib
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lmtool.arrays import Array
from lmtool.cli.attention import grid, html, svg
from lmtool.cli.matrix import INK, LIGHT_INK, SHADES, shade_of, spelled

HOSTILE = [
    "a\x1b[31mb", "</text><script>alert(1)</script>", "\u202eabc", "שלום", "e\u0301\u0323a", "",
    " ", "\ud800", "&lt;", "\u0301", "👩\u200d👩", "\uffff", "x\ty", "\n", "<!--", "]]>", "\0",
    "'\"", "हिन्दी", "图书馆", "w" * 1000, "[bold]x[/bold]", ":smile:", "\u200b", "\x85",
]  # fmt: skip
VOID = {"meta"}
SVG = "{http://www.w3.org/2000/svg}"


def soft(n_source: int, n_target: int) -> Array:
    """Rows that sum to 1."""
    rng = np.random.default_rng(n_source)
    x = rng.exponential(size=(n_target, n_source)) ** 3
    result: Array = (x / x.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


def shown(source: Sequence[str], target: Sequence[str], attention: Array, width: int) -> list[str]:
    """The lines of a grid without colours."""
    return grid(source, target, attention, width, False).plain.split("\n")


ATTENTION = np.array([[0.9, 0.1, 0.0], [0.004, 0.006, 0.99], [0.0, 0.0, 1.0]])


def test_words_with_room_lie() -> None:
    assert shown(["ein", "Hund", "."], ["a", "dog", "<EOS>"], ATTENTION, 80) == [
        "       ein  Hund  .",
        "    a   90   10    .",
        "  dog    .    1   99",
        "<EOS>    .    .  100",
    ]


def test_words_without_room_stand_on_their_columns() -> None:
    assert shown(["ein", "Hund", "."], ["a", "dog", "<EOS>"], ATTENTION, 18) == [
        "          H",
        "       e  u",
        "       i  n",
        "       n  d  .",
        "    a  90 10  .",
        "  dog   .  1 99",
        "<EOS>   .  .100",
    ]


def test_columns_without_room_follow_below() -> None:
    source = [f"{n}" for n in range(9)]
    lines = shown(source, ["x"], soft(9, 1), 12)
    heads = [line.split() for line in lines[::3]]
    assert [len(head) for head in heads] == [3, 3, 3] and [*chain(*heads)] == source
    assert lines[2] == lines[5] == "" and all(line.startswith("x ") for line in lines[1::3])


def test_long_words_are_cut() -> None:
    lines = shown(["w" * 30, "b"], ["t" * 30], np.array([[0.5, 0.5]]), 60)
    assert lines == [f"{' ' * 22}{'w' * 9}…     b", f"{'t' * 19}…      50         50"]
    (*above, _) = shown(["w" * 30] * 9, ["x"], soft(9, 1), 30)
    assert len(above) == 12 and above[-1].split() == ["…"] * 9


def test_marks_stay_on_their_letters() -> None:
    *above, _ = shown(["e\u0301\u0323a", "हिन्दी", "图书"] * 3, ["x"], soft(9, 1), 30)
    assert [line.split() for line in above][-1][:3] == ["a", "दी", "书"]
    assert "e\u0301\u0323" in above[-2] and "न्" in above[-2] and above[-3].split()[0] == "हि"
    assert max(map(cell_len, above)) <= 30


def test_colours_shade_every_cell() -> None:
    text = grid(["a", "b"], ["x", "<EOS>"], np.array([[1.0, 0.0], [0.2, 0.8]]), 80, True)
    assert [span.style for span in text.spans] == [
        f"{LIGHT_INK} on {SHADES[-1]}", f"{INK} on {SHADES[0]}",
        f"{INK} on {SHADES[1]}", f"{INK} on {SHADES[7]}",
    ]  # fmt: skip
    assert len({span.end - span.start for span in text.spans}) == 1
    narrow = grid(["abcdefgh"] * 5, ["x"], np.full((1, 5), 0.2), 30, True)
    assert [span.end - span.start for span in narrow.spans] == [2] * 5


def test_no_colours_where_output_has_none() -> None:
    assert not grid(["a"], ["x"], np.ones((1, 1)), 80).spans


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("colours", [False, True])
def test_hostile_tokens_keep_the_grid(width: int, colours: bool) -> None:
    n = len(HOSTILE)
    text = grid(HOSTILE, [*HOSTILE, "<EOS>"], soft(n, n + 1), width, colours).plain
    lines = text.split("\n")
    assert max(map(cell_len, lines)) <= width
    assert text.isprintable() or set(text) <= {
        "\n",
        "\u200d",
        "\u200b",
        *filter(str.isprintable, text),
    }
    assert "[bold]" in text or width < 80


@given(st.lists(st.text(max_size=12), max_size=8), st.integers(12, 90), st.booleans())
def test_no_line_is_longer_than_the_terminal(tokens: list[str], width: int, lit: bool) -> None:
    text = grid(tokens, [*tokens, "<EOS>"], soft(len(tokens), len(tokens) + 1), width, lit)
    assert max(map(cell_len, text.plain.split("\n"))) <= width
    assert text.plain.count("<EOS>"[: width // 3 - 1]) >= 1


def test_a_stream_of_ascii_keeps_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    lines = shown(["übermäßiger", "图"], ["x"], np.array([[0.5, 0.5]]), 80)
    assert lines[0].isascii() and "~" in lines[0] and "\\u56fe" in lines[0]


def test_nothing_to_show_is_nothing() -> None:
    assert shown([], [], np.zeros((0, 0)), 80) == [""]
    assert shown([], ["<EOS>"], np.zeros((1, 0)), 80) == ["<EOS>"]


@pytest.mark.parametrize(
    ("weight", "shade"), [(0.0, 0), (0.11, 0), (0.12, 1), (0.5, 4), (0.99, 8), (1.0, 8), (1.01, 8)]
)
def test_shades(weight: float, shade: int) -> None:
    assert shade_of(weight) == shade


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_numbers_can_be_read_on_every_shade() -> None:
    papers = [luminance(shade) for shade in SHADES]
    assert papers == sorted(papers, reverse=True)
    assert all((paper + 0.05) / (luminance(INK) + 0.05) >= 4.5 for paper in papers[:-1])
    assert (luminance(LIGHT_INK) + 0.05) / (papers[-1] + 0.05) >= 4.5


def pairs() -> list[tuple[list[str], list[str], Array]]:
    n = len(HOSTILE)
    plain = (["ein", "Hund"], ["a", "dog", "<EOS>"], soft(2, 3))
    return [
        plain,
        (HOSTILE, [*HOSTILE, "<EOS>"], soft(n, n + 1)),
        ([], ["<EOS>"], np.zeros((1, 0))),
    ]


def test_svg_holds_every_token_as_text() -> None:
    page = svg(pairs())
    root = ET.fromstring(page.encode())
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    for token in ["ein", "Hund", "a", "dog", "<EOS>", *HOSTILE]:
        said = spelled(token)
        assert (said if len(said) <= 24 else f"{said[:23]}…") in texts
    names = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert names == {"svg", "title", "rect", "g", "text", "path"}
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    assert 0 < width < 3000 and 0 < height < 3000


def test_svg_paints_each_cell_in_its_shade() -> None:
    attention = np.array([[0.95, 0.05, 0.0], [0.3, 0.3, 0.4]])
    root = ET.fromstring(svg([(["a", "b", "c"], ["x", "<EOS>"], attention)]))
    painted = {p.attrib["fill"]: p.attrib["d"].count("z") for p in root.iter(f"{SVG}path")}
    assert painted == {SHADES[8]: 1, SHADES[2]: 2, SHADES[3]: 1}


def test_pictures_of_nothing() -> None:
    ET.fromstring(svg([]))
    assert "<figure>" not in html([])


class Page(HTMLParser):
    """Tags that balance, attributes, and the texts of cells and captions."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.isolated: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "bdi":
            self.isolated.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "bdi":
            self.isolated[-1] += data


def test_the_page_stands_alone_and_runs_nothing() -> None:
    text = html(pairs())
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [] and page.tags.count("figure") == 3
    assert not {"script", "img", "link", "a", "iframe"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not any(name.startswith("on") or name in {"style", "src", "href"} for name in names)
    assert {spelled(token) for token in HOSTILE} <= set(page.isolated)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in text and "default-src 'none'" in text


def test_the_page_has_the_numbers() -> None:
    text = html([(["a", "b"], ["x"], np.array([[0.256, 0.744]]))])
    assert re.findall(r"<td>([\d.]+)</td>", text) == ["25.6", "74.4"]


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_tokens_make_wellformed_pictures(tokens: list[str]) -> None:
    pair = (tokens, [*tokens, "<EOS>"], soft(len(tokens), len(tokens) + 1))
    ET.fromstring(svg([pair]).encode())
    page = Page()
    page.feed(html([pair]))
    page.close()
    assert page.open == []
