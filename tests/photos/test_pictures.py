"""Picture files of all sorts: as numbers, or refused in one line."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lmtool.errors import InputError
from lmtool.photos.pictures import SIZE, read_picture, undisturbed
from tests.refused import refused

if TYPE_CHECKING:
    from PIL import Image
else:
    Image = pytest.importorskip("PIL.Image", reason="pillow is not installed (extra photos)")

RED, GREEN = (200, 30, 10), (20, 180, 60)


@pytest.fixture(autouse=True)
def as_in_use() -> Iterator[None]:
    with undisturbed():
        yield


def halves(width: int, height: int) -> Any:
    """A picture, red at the left and green at the right."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(GREEN, (width // 2, 0, width, height))
    return picture


def colours(x: Any) -> Any:
    """Back from what the network reads."""
    return x * 128 + 127


def saved(picture: Any, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def test_a_picture_that_fits_stays_as_it_is(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    x = read_picture(saved(Image.fromarray(pixels), tmp_path / "x.png"))
    assert x.dtype == np.float32 and x.shape == (SIZE, SIZE, 3)
    np.testing.assert_array_equal(x, (pixels.astype(np.float32) - 127) / 128)


@pytest.mark.parametrize("size", [(256, 256), (512, 300), (300, 900), (1000, 999), (10, 12)])
def test_the_short_side_is_256_and_the_middle_is_cut(size: tuple[int, int], tmp_path: Path) -> None:
    picture = halves(*size)
    x = colours(read_picture(saved(picture, tmp_path / "x.png")))
    ratio = 256 / min(size)
    whole = picture.resize((round(size[0] * ratio), round(size[1] * ratio)), 3)  # bicubic
    left, top = (whole.width - SIZE) // 2, (whole.height - SIZE) // 2
    expected = np.asarray(whole)[top : top + SIZE, left : left + SIZE]
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(x[0, 0], RED)
    np.testing.assert_array_equal(x[-1, -1], GREEN)


def test_a_turned_photograph_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    x = colours(read_picture(saved(halves(300, 300), tmp_path / "x.png", exif=exif)))
    np.testing.assert_array_equal(x[0, 0], GREEN)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [("L", "png"), ("1", "png"), ("P", "png"), ("P", "gif"), ("RGBA", "png"), ("LA", "png"),
     ("CMYK", "tiff"), ("CMYK", "jpg"), ("RGB", "bmp"), ("RGB", "webp")],
)  # fmt: skip
def test_every_mode_becomes_rgb(mode: str, ending: str, tmp_path: Path) -> None:
    picture = halves(SIZE, SIZE).convert(mode)
    path = saved(picture, tmp_path / f"x.{ending}", **({"quality": 95} if ending == "webp" else {}))
    x = colours(read_picture(path))
    expected = np.asarray(picture.convert("RGB"), np.float32)
    assert abs(x[100, 10] - expected[100, 10]).max() <= 4
    assert abs(x[100, -10] - expected[100, -10]).max() <= 4


def test_deep_greys_keep_their_shades(tmp_path: Path) -> None:
    grey = np.full((SIZE, SIZE), 0x8123, np.uint16)
    x = colours(read_picture(saved(Image.fromarray(grey), tmp_path / "x.png")))
    assert set(x.ravel()) == {0x81}


def test_greys_without_a_largest_one_are_refused(tmp_path: Path) -> None:
    path = saved(Image.fromarray(np.full((9, 9), 0.5, np.float32)), tmp_path / "x.tiff")
    with pytest.raises(InputError, match=r"x\.tiff: .*without a largest one"):
        read_picture(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no picture"),
        (b"A dog runs .\n", "is no picture"),
        (b"%PDF-1.7\n", "is a PDF document, which cannot be read here"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is a PostScript document"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "is a HEIF or AVIF picture"),
        (b"\x80\x02cos\nsystem\n", "is a Python pickle"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "is a PNG picture|is cut short or damaged"),
    ],
)
def test_what_is_no_picture_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with refused(InputError, match=rf"photo\.jpg: ({message})") as caught:
        read_picture(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tiff", "webp"])
def test_damaged_pictures_are_refused_or_read(ending: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    pixels = Image.fromarray(rng.integers(0, 256, (60, 50, 3), np.uint8))
    content = saved(pixels, tmp_path / f"x.{ending}").read_bytes()
    path = tmp_path / f"broken.{ending}"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"broken"):
        read_picture(path)
    for _ in range(30):
        broken = bytearray(content)
        for place in rng.integers(0, min(200, len(broken)), 3):
            broken[place] = rng.integers(0, 256)
        path.write_bytes(broken)
        try:
            assert np.isfinite(read_picture(path)).all()
        except InputError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_a_bomb_is_refused(side: int, tmp_path: Path) -> None:
    path = saved(Image.new("1", (side, side)), tmp_path / "x.png")
    with pytest.raises(InputError, match=r"x\.png: has more pixels than any photograph"):
        read_picture(path)


def test_a_strip_is_refused(tmp_path: Path) -> None:
    path = saved(Image.new("L", (1, 60_000)), tmp_path / "x.png")
    with pytest.raises(InputError, match=r"x\.png: is more than 50 times as long as wide"):
        read_picture(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none.jpg", r"none\.jpg: cannot be read: No such file or directory; check the path"),
        (".", "is not a file"),
        ("/dev/zero", "/dev/zero: is not a file"),
        ("a\0b", "is cut short or damaged, or no picture"),
    ],
)
def test_what_is_no_file_is_named(path: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_picture(Path(path))
