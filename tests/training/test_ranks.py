"""Who computes what, where a launcher is seen, and what is said to those who start it wrongly."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import lmtool
from lmtool.cli.app import app
from lmtool.kinds.language_model import KIND
from lmtool.training import mpi
from lmtool.training.agreement import idle, refuse_other_files, unlike
from lmtool.training.launchers import LAUNCHERS, Place, place
from lmtool.training.mpi import Host, cores_of_all, own_cores
from lmtool.training.ranks import ALONE, Ranks, Share, Spread, shared_out
from lmtool.workers import Workers, n_cores, pooled


class Standin(Ranks):
    """One of n ranks, to which the others say what the test wants."""

    def __init__(self, rank: int, n: int, others: dict[int, object] | None = None) -> None:
        self.rank, self.n, self._others = rank, n, others or {}

    def gather(self, value):  # type: ignore[no-untyped-def]
        return [self._others.get(rank, value) for rank in range(self.n)]


@pytest.fixture
def unlaunched(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in LAUNCHERS:
        for name in names:
            monkeypatch.delenv(name, raising=False)


def shares(networks: int, shards: int, n: int) -> list[Share]:
    return [shared_out(networks, shards, Standin(rank, n)) for rank in range(n)]


@pytest.mark.parametrize("networks", range(1, 6))
@pytest.mark.parametrize("shards", range(1, 5))
@pytest.mark.parametrize("n", range(1, 7))
def test_every_unit_has_one_owner_and_nobody_has_more_than_needs_be(
    networks: int, shards: int, n: int
) -> None:
    found = shares(networks, shards, n)
    units = [unit for share in found for unit in share.units]
    assert units == list(range(networks * shards))  # in the order in which they are gathered
    assert max(len(share.units) for share in found) == -(-networks * shards // n)
    for k in range(networks):
        owners = {found[0].owners[unit] for unit in range(k * shards, (k + 1) * shards)}
        assert found[0].homes[k] == (owners.pop() if len(owners) == 1 else None)


def test_networks_stay_whole_where_that_is_as_even() -> None:
    assert shares(2, 4, 2)[0].homes == (0, 1)
    assert shares(3, 2, 3)[0].homes == (0, 1, 2)
    assert shares(3, 2, 2)[0].homes == (0, None, 1)
    assert shares(1, 4, 3)[0].homes == (None,)
    assert shares(4, 2, 1)[0].homes == (0, 0, 0, 0)


def test_alone_everything_is_at_home() -> None:
    share = shared_out(2, 3, ALONE)
    assert share.units == [0, 1, 2, 3, 4, 5] and all(map(share.trains, range(2)))
    assert (ALONE.agree(3), ALONE.ask(lambda: 4), ALONE.gather(5)) == (3, 4, [5])
    with Workers(1) as workers:
        assert ALONE.spread(workers) is workers


def test_items_are_dealt_out_and_come_back_in_order() -> None:
    with Workers(2) as workers:
        first = Spread(workers, Standin(0, 3, {1: [10, 40], 2: [20]}))
        assert first.map(lambda x: 10 * x, iter(range(5))) == [0, 10, 20, 30, 40]


@pytest.mark.usefixtures("unlaunched")
@pytest.mark.parametrize("names", LAUNCHERS)
def test_launchers_are_known_by_their_environment(
    names: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place() == Place(0, 1)
    for name, value in zip(names, ("2", "4"), strict=True):
        monkeypatch.setenv(name, value)
    assert place() == Place(2, 4)
    monkeypatch.setenv(names[1], "many")
    assert place() == Place(0, 1)


@pytest.mark.usefixtures("unlaunched")
def test_a_batch_script_of_slurm_is_no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert place() == Place(0, 1)


def test_cores_that_several_may_use_are_shared() -> None:
    free = [Host("a", frozenset({0, 1, 2, 3}))] * 2 + [Host("b", frozenset({0, 1}))]
    assert cores_of_all(free) == 6
    assert [own_cores(free, rank) for rank in range(3)] == [2, 2, 2]
    bound = [Host("a", frozenset({k})) for k in range(4)]
    assert (cores_of_all(bound), own_cores(bound, 3)) == (4, 1)
    crowd = [Host("a", frozenset({0, 1}))] * 5
    assert (cores_of_all(crowd), own_cores(crowd, 4)) == (2, 1)


def test_plans_count_the_cores_of_all() -> None:
    own = n_cores()
    with pooled(48):
        assert n_cores() == 48
    assert n_cores() == own


def started_as(rank: int, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMI_RANK", str(rank))
    monkeypatch.setenv("PMI_SIZE", str(n))


@pytest.mark.usefixtures("unlaunched")
def test_without_mpi4py_one_line_from_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("Todd met Pete\n" * 9)
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    command = ["train", str(tmp_path / "a.txt"), "-m", str(tmp_path / "m")]
    started_as(0, 3, monkeypatch)
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 1 and 'pip install "lmtool[mpi]"' in first.stderr
    assert "3 processes were started to train one model" in first.stderr
    assert len(first.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.usefixtures("unlaunched")
def test_the_other_processes_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "mpi4py.py").write_text("raise ImportError")
    path = os.pathsep.join([str(tmp_path), str(Path(lmtool.__file__).parents[1])])
    third = {**os.environ, "PMI_RANK": "2", "PMI_SIZE": "3", "PYTHONPATH": path}
    command = [sys.executable, "-m", "lmtool", "train", "a.txt"]
    done = subprocess.run(command, cwd=tmp_path, env=third, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


@pytest.mark.usefixtures("unlaunched")
def test_mpiexec_of_another_mpi_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world = SimpleNamespace(size=1)
    library = SimpleNamespace(COMM_WORLD=world, Get_library_version=lambda: "Open MPI v5\nmore")
    monkeypatch.setitem(sys.modules, "mpi4py", SimpleNamespace(MPI=library))
    started_as(0, 2, monkeypatch)
    with pytest.raises(lmtool.ConfigError, match=r"one alone.*its own MPI \(Open MPI v5\)"):
        mpi.started()
    monkeypatch.setenv("PMI_SIZE", "1")
    assert mpi.started() is ALONE


@pytest.mark.usefixtures("unlaunched")
def test_a_program_of_several_processes_trains_alone_unless_it_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    started_as(1, 2, monkeypatch)
    lmtool.train(sentences=["Todd met Pete"] * 9, steps=1, hidden=4)
    with pytest.raises(lmtool.ConfigError, match="mpi4py"):
        lmtool.train(sentences=["Todd met Pete"] * 9, steps=1, hidden=4, mpi=True)


def test_ranks_that_read_other_texts_are_refused() -> None:
    material = SimpleNamespace(fingerprints={"training text": "a", "vocabulary": "b"})
    refuse_other_files(material, Standin(0, 2))  # type: ignore[arg-type]
    other = Standin(0, 3, {2: {"training text": "a", "vocabulary": "c"}})
    with pytest.raises(lmtool.ConfigError, match="the vocabulary of rank 2 is not that of rank 0"):
        refuse_other_files(material, other)  # type: ignore[arg-type]


def test_unlike_processors_and_idle_ranks_are_said() -> None:
    assert list(unlike(ALONE)) == [] and list(idle(ALONE, 1)) == []
    from lmtool.training.resume import surroundings

    strange = surroundings() | {"processor": "m68k"}
    (said,) = unlike(Standin(0, 3, {1: strange, 2: strange}))
    assert re.fullmatch(r"processor is .*, m68k for ranks 1, 2: the last bits may differ", said)
    (few,) = idle(Standin(0, 4), 2)
    assert few.startswith("a step has 2 pieces of work for 4 processes")


def test_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from lmtool.settings import ModelSettings, TextSettings, TrainSettings
    from lmtool.training.agreement import refuse_streams
    from lmtool.training.request import Request

    settings = TextSettings(), ModelSettings(), TrainSettings()
    request = Request(("-",), (), None, *settings)
    assert request.kind is KIND
    refuse_streams(request, ALONE)
    with pytest.raises(lmtool.ConfigError, match="standard input reaches one process alone"):
        refuse_streams(request, Standin(0, 2))
