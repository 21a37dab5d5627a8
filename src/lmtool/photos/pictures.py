"""A picture file as the network wants it: upright, short side 256, the middle 224 x 224.

(rgb - 127) / 128, where 0 <= rgb <= 255. Only the plain formats of photographs are opened; what is
hidden by transparency is seen.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lmtool.arrays import Array
from lmtool.errors import InputError
from lmtool.signatures import START, recognised

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["SIZE", "read_picture", "undisturbed"]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
NEEDED = "a JPEG, PNG, WebP, GIF, BMP or TIFF picture is needed"
SIZE, SHORT_SIDE = 224, 256  # pixels
LONGEST = 50  # times as long as wide
DARK, HALF = 127, 128
DEEP = "I;16"  # how pillow's names of 16-bit greys begin
UNBOUNDED = ("I", "F")


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within it pillow says nothing on its own, and refuses what is far larger than a photograph.

    Filters of warnings are the process's: to be entered once, outside of threads.
    """
    from PIL.Image import DecompressionBombWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", DecompressionBombWarning)
        yield


def read_picture(path: Path) -> Array:
    """(224, 224, 3) float32. Raises InputError that names the file."""
    from PIL import UnidentifiedImageError
    from PIL.Image import DecompressionBombError, DecompressionBombWarning

    try:
        if path.exists() and not path.is_file():
            raise InputError("is not a file; name pictures")
        return prepared(path)
    except InputError as error:
        message = str(error)
    except (DecompressionBombError, DecompressionBombWarning):
        message = "has more pixels than any photograph; make it smaller first"
    except UnidentifiedImageError:
        message = f"{named(path)}; {NEEDED}"
    except Exception as error:  # pillow's readers let through whatever a broken file causes
        why = getattr(error, "strerror", None)
        damage = "is cut short or damaged, or no picture; make it anew"
        message = f"cannot be read: {why}; check the path" if why else damage
    raise InputError(f"{path}: {message}")


def named(path: Path) -> str:
    """What a file is that no reader knows."""
    with path.open("rb") as stream:
        kind = recognised(stream.read(START))
    return f"is {kind.name}, which cannot be read here" if kind else "is no picture"


def prepared(path: Path) -> Array:
    """The numbers of a file that is a picture; raises whatever is wrong with it."""
    from PIL import Image, ImageOps

    with Image.open(path, formats=FORMATS) as opened:
        upright = ImageOps.exif_transpose(opened)
        middle = cut(eight_bits(upright).convert("RGB"))
    return (np.asarray(middle, np.float32) - DARK) / HALF


def eight_bits(image: "Image") -> "Image":
    """16-bit greys as 8-bit ones, which pillow would clip; all else as it is."""
    from PIL import Image

    if image.mode in UNBOUNDED:
        raise InputError("has numbers without a largest one for its greys; save it as JPEG or PNG")
    if not image.mode.startswith(DEEP):
        return image
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def cut(image: "Image") -> "Image":
    """The middle square, after the short side was brought to its length; a square that fits stays.

    Raises InputError for a strip, which would become far larger than it is.
    """
    from PIL.Image import Resampling

    if image.size == (SIZE, SIZE):
        return image
    if max(image.size) > LONGEST * min(image.size):
        raise InputError(f"is more than {LONGEST} times as long as wide; cut it to what matters")
    ratio = SHORT_SIDE / min(image.size)
    width, height = (max(SIZE, round(n * ratio)) for n in image.size)
    left, top = (width - SIZE) // 2, (height - SIZE) // 2
    scaled = image.resize((width, height), Resampling.BICUBIC)
    return scaled.crop((left, top, left + SIZE, top + SIZE))
