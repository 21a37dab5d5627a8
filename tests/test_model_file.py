"""The model file: round trip, atomic writing, and every kind of damage."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmtool import tensor_file
from lmtool.errors import ModelFileError
from lmtool.inference.score import score
from lmtool.model_file import FORMATS, load, save
from lmtool.models.language_model import LanguageModel
from lmtool.text.vocabulary import Vocabulary
from tests.conftest import tiny
from tests.refused import refused


@pytest.fixture
def path(lstm: LanguageModel, tmp_path: Path) -> Path:
    target = tmp_path / "model.safetensors"
    save(lstm, target)
    return target


def test_round_trip(model: LanguageModel, tmp_path: Path) -> None:
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.parameters.flat.tobytes() == model.parameters.flat.tobytes()
    assert again.settings == model.settings
    assert again.vocabulary.tokens == model.vocabulary.tokens
    assert again.provenance == model.provenance
    assert score(again, "Todd met Pete") == score(model, "Todd met Pete")


def test_any_altered_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= (0x01, 0x80)[position % 2]
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError):
            load(path)


def test_any_truncation_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for length in (*range(0, len(content), 37), len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError):
            load(path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04" + b"x" * 99, "zip archive"),
        (b"PK\x03\x04" + bytes(26) + b"archive/data.pkl" + b"x" * 99, "PyTorch"),
        (b"\x80\x04\x95" + b"x" * 99, "pickle"),
        (b"", "cut short"),
        (b"just some text, longer than a header\n", "it is a text"),
        (struct.pack("<Q", 2**62) + b"{}", "another kind"),
        (struct.pack("<Q", 2) + b"{}", "not a usable model"),
        (struct.pack("<Q", 6 * 10**4) + b"[" * 6 * 10**4, "not a usable model"),
    ],
)
def test_foreign_files(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with refused(ModelFileError, match=word) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_huge_shapes_are_refused_before_allocation(path: Path) -> None:
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    header["embedding.weight"]["shape"] = [2**40, 2**20]
    altered = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(altered)) + altered + content[8 + size :])
    with pytest.raises(ModelFileError):
        load(path)


def test_weights_that_are_not_numbers(lstm: LanguageModel, tmp_path: Path) -> None:
    broken = lstm.parameters.copy()
    broken.flat[3] = np.nan
    save(LanguageModel(lstm.settings, lstm.vocabulary, broken), tmp_path / "m")
    with pytest.raises(ModelFileError, match="finite"):
        load(tmp_path / "m")


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="there is no model"):
        load(tmp_path / "none")
    with pytest.raises(ModelFileError):
        load(tmp_path)


def test_existing_file_is_kept_unless_told(lstm: LanguageModel, path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match="pass overwrite=True"):
        save(lstm, path)
    assert path.read_bytes() == before
    save(lstm, path, overwrite=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_failed_write_leaves_what_was_there(
    lstm: LanguageModel, path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    before = path.read_bytes()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, full)
    with pytest.raises(ModelFileError, match="No space left"):
        save(lstm, path, overwrite=True)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_no_folder(lstm: LanguageModel, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no folder"):
        save(lstm, tmp_path / "none" / "m")


def test_as_its_own_library_writes_it() -> None:
    save_file = pytest.importorskip("safetensors.numpy").save
    kinds: list[Any] = [np.float32, np.int64, np.uint8, np.int32]
    tensors: dict[str, Any] = {f'{n}\x01"\\é': np.arange(n, dtype=kinds[n % 4]) for n in range(9)}
    tensors |= {"scalar": np.zeros((), np.float32), "matrix": np.ones((2, 3), np.float32).T}
    nothing: tensor_file.Tensors = {}
    for some in (tensors, nothing):
        metadata = {"lmtool": json.dumps({"é": "\n\x7f"})}
        header, parts = tensor_file.to_parts(some, metadata)
        assert b"".join([header, *parts]) == save_file(
            {name: array.copy(order="C") for name, array in some.items()}, metadata
        )


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_torch_loads_the_weights(model: LanguageModel, tmp_path: Path, cell: str) -> None:
    torch = pytest.importorskip("torch", reason="compared with PyTorch only where it is installed")
    from safetensors.torch import load_file

    if model.settings.cell != cell:
        return
    save(model, tmp_path / "m")
    tensors = load_file(tmp_path / "m")
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
    network = kind(model.settings.embed, model.settings.hidden, batch_first=True)
    state = {name: t for name, t in tensors.items() if name.startswith("rnn.")}
    network.load_state_dict({name.removeprefix("rnn."): t for name, t in state.items()})
    ids = [0, *model.vocabulary.encode("Todd met Pete")]
    with torch.no_grad():
        top, _ = network(tensors["embedding.weight"][ids][None])
        logits = top[0] @ tensors["projection.weight"].T @ tensors["embedding.weight"].T
        logp = torch.log_softmax(logits + tensors["output.bias"], 1).numpy()
    wanted = [*ids[1:], 0]
    own = [row.log10_p * np.log(10) for row in score(model, "Todd met Pete").words]
    np.testing.assert_allclose(own, logp[np.arange(4), wanted], rtol=1e-5)


def test_a_file_of_format_1_loads(model: LanguageModel, tmp_path: Path) -> None:
    """What was written before there were kinds: no name of one in the card."""
    save(model, tmp_path / "m")
    card, tensors = tensor_file.read(tmp_path / "m", *FORMATS)
    assert (card.pop("kind"), card.pop("format")) == ("language model", 2)
    tensor_file.write(tmp_path / "old", card | {"format": 1}, tensors)
    again = load(tmp_path / "old")
    assert again.parameters.flat.tobytes() == model.parameters.flat.tobytes()
    assert again.vocabulary.tokens == model.vocabulary.tokens


def test_a_file_without_a_younger_setting_means_what_it_was(
    vocabulary: Vocabulary, lstm: LanguageModel, tmp_path: Path
) -> None:
    """The width of a window: not written where it says nothing new, so older files load."""
    save(lstm, tmp_path / "m")
    card, _ = tensor_file.read(tmp_path / "m", *FORMATS)
    assert "window" not in card["model"] and load(tmp_path / "m").settings == lstm.settings
    wide = tiny(vocabulary, "window", window=3)
    save(wide, tmp_path / "wide")
    card, tensors = tensor_file.read(tmp_path / "wide", *FORMATS)
    assert card["model"]["window"] == 3 and load(tmp_path / "wide").settings == wide.settings
    for other in (2, 4, 0, "3", None, 2**61):
        changed = {**card, "model": {**card["model"], "window": other}}
        tensor_file.write(tmp_path / "other", changed, tensors)
        with refused(ModelFileError, match="other: ") as caught:
            load(tmp_path / "other")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["poet", 7, None, [], "x" * 1000])
def test_a_kind_that_nobody_knows_is_refused(
    model: LanguageModel, tmp_path: Path, kind: object
) -> None:
    save(model, tmp_path / "m")
    card, tensors = tensor_file.read(tmp_path / "m", *FORMATS)
    tensor_file.write(tmp_path / "m", card | {"kind": kind}, tensors)
    with pytest.raises(ModelFileError, match="does not know its kind"):
        load(tmp_path / "m")
