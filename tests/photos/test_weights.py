"""Files of weights: only the known one is read, and nothing in it runs."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from lmtool.errors import ModelFileError
from lmtool.photos.weights import read_weights
from tests.photos.handmade import (
    called,
    file,
    file_of,
    named,
    pickled,
    several,
    tensor,
    text,
    tiny,
    whole,
)  # fmt: skip
from tests.refused import refused

X = np.arange(6, dtype=np.float32)


def read(folder: Path, content: bytes) -> dict[str, list[float]]:
    """What is in a file whose digest is known."""
    path = folder / "weights.pth"
    path.write_bytes(content)
    found = read_weights(path, hashlib.sha256(content).hexdigest())
    return {name: array.tolist() for name, array in found.items()}


def test_tensors_come_back(tmp_path: Path) -> None:
    weights = tiny()
    assert read(tmp_path, file_of(weights)) == {name: x.tolist() for name, x in weights.items()}


def test_a_tensor_may_lie_across_its_storage(tmp_path: Path) -> None:
    turned = tensor("0", 6, 1, (2, 2), (1, 3))
    scalar = tensor("1", 1, 0, (), (), "torch LongStorage")
    content = file({"turned": turned, "n": scalar}, ["0", "1"], [X, np.array([7], np.int64)])
    assert read(tmp_path, content) == {"turned": [[1, 4], [2, 5]], "n": 7}


def test_another_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(file_of(tiny()))
    with pytest.raises(ModelFileError, match=r"weights\.pth: not the weights .* pip install"):
        read_weights(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none\.pth: cannot be read \(No such file"):
        read_weights(tmp_path / "none.pth")


def test_no_more_is_read_than_the_file_can_hold() -> None:
    with pytest.raises(ModelFileError, match="not the weights"):
        read_weights(Path("/dev/zero"))


@pytest.mark.parametrize(
    "evil",
    [
        called("os system", text("touch ran")),
        called("builtins eval", text("open('ran', 'w')")),
        called("builtins exec", text("open('ran', 'w')")),
        called("collections OrderedDict.fromkeys", text("ab")),
        called("torch._utils _rebuild_parameter", text("a")),
        called("numpy.core.multiarray _reconstruct", text("a")),
        named("torch load"),
        b"cos\nsystem\n(X\x09\x00\x00\x00touch rantR",
        b"(X\x09\x00\x00\x00touch ranios\nsystem\n",
    ],
)
def test_no_other_name_is_known(
    evil: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good = file_of({"x": X})
    at_the_end = file({"x": evil}, [], [])
    for content in (pickled(evil) + good, at_the_end):
        with pytest.raises(ModelFileError, match="not a usable file of weights: it asks for "):
            read(tmp_path, content)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "at",
    [
        tensor("0", 6, 0, (7,), (1,)),
        tensor("0", 6, 1, (6,), (1,)),
        tensor("0", 6, 0, (2, 2), (1, 5)),
        tensor("0", 6, -1, (2,), (1,)),
        tensor("0", 6, 0, (-1,), (1,)),
        tensor("0", 6, 0, (2,), (-1,)),
        tensor("0", 6, 0, (0,), (1,)),
        tensor("0", 6, 0, (2, 2), (1,)),
        tensor("0", 6, 0, (2**30, 2**30), (0, 0)),
        tensor("0", 6, 0, (2,) * 70, (0,) * 70),
        tensor("0", 7, 0, (2,), (1,)),
        tensor("0", 2**31 - 1, 0, (2,), (1,)),
        tensor("0", -1, 0, (2,), (1,)),
        tensor("1", 6, 0, (2,), (1,)),
        tensor("0", 6, 0, (2,), (1,), "collections OrderedDict"),
        text("a tensor"),
        several(text("a"), whole(1)),
        called("torch FloatStorage", whole(1)),
    ],
)
def test_places_beyond_the_file_are_refused(at: bytes, tmp_path: Path) -> None:
    with refused(ModelFileError, match="not a usable file of weights") as caught:
        read(tmp_path, file({"x": at}, ["0"], [X]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keys", [[], ["0", "0"], ["1"], ["0", "1"]])
def test_storages_are_those_of_the_tensors(keys: list[str], tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="not a usable file of weights"):
        read(tmp_path, file({"x": tensor("0", 6, 0, (6,), (1,))}, keys, [X, X]))


def test_every_cut_and_every_changed_byte_is_an_error_or_weights(tmp_path: Path) -> None:
    content = file_of({"x": X, "y": X[:2]})
    for place in range(len(content)):
        with pytest.raises(ModelFileError, match=re.escape(str(tmp_path))):
            read(tmp_path, content[:place])
        changed = bytearray(content)
        changed[place] ^= 0x55
        try:
            assert set(read(tmp_path, bytes(changed)))
        except ModelFileError as error:
            assert "\n" not in str(error)
