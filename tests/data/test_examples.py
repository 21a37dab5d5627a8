"""Each pass meets each example once, whole, padded at the front, in an order known beforehand."""

import tracemalloc
from collections.abc import Callable
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.arrays import Array
from lmtool.data.batch import Batch, Data
from lmtool.data.examples import POOL, Example, Examples, held_out
from lmtool.data.ragged import Ragged
from lmtool.data.rare import Rare
from lmtool.settings import TextSettings
from lmtool.text.vocabulary import UNK_ID, Vocabulary

lengths = st.lists(st.integers(0, 9), min_size=1, max_size=40)
sizes = st.integers(1, 50)
NOTHING = np.zeros(0, np.int32)


def ids(lengths: list[int], batch: int = 4, seed: int = 1) -> Examples:
    """Source i is i + 1 all along, its label i."""
    sources = (np.full(n, i + 1, np.int32) for i, n in enumerate(lengths))
    targets = (np.array([i], np.int32) for i in range(len(lengths)))
    return Examples(sources, targets, batch=batch, seed=seed)


def check(batch: Batch, lengths: list[int]) -> list[int]:
    """The labels of a batch, each of which must stand below its own source."""
    assert batch.source is not None and batch.starts is not None
    assert batch.n == batch.targets.size and batch.targets.shape == (1, batch.source.shape[1])
    labels: list[int] = batch.targets[0].tolist()
    assert len(batch.source) == max(1, *(lengths[i] for i in labels))
    for b, i in enumerate(labels):
        padding = len(batch.source) - lengths[i]
        assert batch.source[:, b].tolist() == [0] * padding + [i + 1] * lengths[i]
        assert batch.starts[b] == min(padding, len(batch.source) - 1)
    return labels


@given(lengths, sizes, st.integers(0, 5))
def test_a_pass_meets_each_example_once(lengths: list[int], size: int, number: int) -> None:
    examples = ids(lengths, size)
    data: Data = examples
    steps = range(number * data.steps_a_pass, (number + 1) * data.steps_a_pass)
    batches = [check(data.batch(step), lengths) for step in steps]
    assert sorted(chain(*batches)) == list(range(len(lengths)))
    assert max(map(len, batches)) <= size
    assert max(map(len, batches)) - min(map(len, batches)) <= 1
    total = sum(max(1, n) for n in lengths)
    assert data.tokens_a_step == pytest.approx(total / len(batches))


@given(lengths, sizes, st.permutations(range(12)))
def test_batches_do_not_depend_on_those_before(
    lengths: list[int], size: int, steps: list[int]
) -> None:
    examples = ids(lengths, size)
    for step in [*steps, 10**15]:
        for one, other in zip(examples.batch(step), ids(lengths, size).batch(step), strict=True):
            assert np.array_equal(one, other)  # type: ignore[arg-type]


def test_passes_differ_and_so_do_seeds() -> None:
    one, other = ids([3] * 40), ids([3] * 40, seed=2)
    read = [
        [check(data.batch(step), [3] * 40) for step in range(first, first + one.steps_a_pass)]
        for data, first in ((one, 0), (one, one.steps_a_pass), (other, 0))
    ]
    assert read[0] != read[1] != read[2] != read[0]


def test_like_lengths_stand_together_and_batches_are_mixed() -> None:
    rng = np.random.default_rng(3)
    examples = ids(rng.integers(1, 100, 16 * POOL).tolist(), batch=16)
    longest = [len(examples.batch(step).source) for step in range(POOL)]  # type: ignore[arg-type]
    padding = sum(longest) / POOL - examples.tokens_a_step / 16
    assert padding < 2  # of 50 steps; examples mixed without a pool take about 44
    assert longest != sorted(longest)


@given(lengths, sizes)
def test_in_order(lengths: list[int], size: int) -> None:
    seen, examples = [], ids(lengths)
    for some, batch in examples.in_order(size):
        assert check(batch, lengths) == some.tolist()
        seen += some.tolist()
    assert sorted(seen) == list(range(len(lengths)))
    assert [max(1, lengths[i]) for i in seen] == sorted(max(1, n) for n in lengths)


def test_a_subset_is_those_rows_again() -> None:
    lengths = [4, 1, 0, 3, 2]
    few = ids(lengths).subset(np.array([True, False, True, True, True])).subset(slice(1, None))
    assert (few.n, few.lengths.tolist(), few.steps_a_pass) == (3, [1, 3, 2], 1)
    assert sorted(check(few.batch(0), lengths)) == [2, 3, 4]
    assert [some.tolist() for some, _ in few.in_order(2)] == [[0, 2], [1]]


def test_frames_vectors_tags_and_several_labels() -> None:
    rng = np.random.default_rng(1)
    frames = [rng.random((n, 3)) for n in (2, 0, 4)]
    tags = [np.arange(n, dtype=np.int32) for n in (2, 1, 4)]
    ((some, batch),) = Examples(frames, tags, batch=9, seed=0).in_order(9)
    assert batch.source is not None and batch.starts is not None
    assert (some.tolist(), batch.starts.tolist(), batch.n) == ([1, 0, 2], [3, 2, 0], 7)
    assert batch.source.shape == (4, 3, 3)
    assert batch.source.dtype == np.float32
    assert not batch.source[:, 0].any() and (batch.source[2:, 1] == np.float32(frames[0])).all()
    assert batch.targets.T.tolist() == [[-1, -1, -1, 0], [-1, -1, 0, 1], [0, 1, 2, 3]]
    assert batch.targets.dtype == np.int32
    records = (Example(np.ones((1, 5)), np.array([0, i, 1], np.int32)) for i in range(2))
    vectors = Examples.of(records, batch=2, seed=0).batch(0)
    assert vectors.source is not None and vectors.source.shape == (1, 2, 5)
    assert (vectors.targets.sum(0).tolist(), vectors.n) in (([1, 2], 6), ([2, 1], 6))


def test_more_ids_than_32_bits_can_count() -> None:
    N = 2**31 + 10
    flat = np.broadcast_to(np.int32(7), (N,))
    ragged = Ragged(flat, np.array([0, N - 3, N - 2, N]))
    labels = Ragged(np.arange(3, dtype=np.int32), np.arange(4))
    examples = Examples(ragged, labels, batch=2, seed=0).subset(np.array([1, 2]))
    batch = examples.batch(0)
    assert batch.source is not None
    assert sorted(batch.source.sum(0).tolist()) == [7, 14]
    assert ragged[1].tolist() == [7]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ids([]), "one example at least"),
        (lambda: ids([1]).subset(slice(0)), "one example at least"),
        (lambda: Examples([np.arange(2)], [], batch=1, seed=0), "targets for each of 1 examples"),
        (lambda: Examples([np.ones(2)], [NOTHING], batch=1, seed=0), "targets for each"),
        (lambda: Ragged.of([np.arange(2), np.ones(2)]), "array 1: .*float32.* first has .*int32"),
        (lambda: Ragged.of([np.ones((1, 2)), np.ones((1, 3))]), r"array 1: .*\(3,\)"),
        (lambda: Ragged.of([np.array(["a"])]), "array 0: <U1 holds no numbers"),
        (lambda: Ragged(np.arange(3), np.array([0, 2])), "offsets from 0 to 3"),
        (lambda: Ragged(np.arange(3), np.array([0, 4, 3])), "never fall"),
    ],
)
def test_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_memory_is_that_of_the_data() -> None:
    tracemalloc.start()
    ragged = Ragged.of(np.zeros(20, np.int32) for _ in range(50_000))
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    n_bytes = 4 * len(ragged.flat) + 8 * len(ragged.offsets)
    assert kept < 1.2 * n_bytes and peak < 1.6 * n_bytes


some_labels = st.lists(st.integers(0, 4), min_size=1, max_size=200)


@given(some_labels, st.floats(0.01, 0.9), st.integers(0, 9))
def test_held_out_of_each_label(labels: list[int], share: float, seed: int) -> None:
    given_labels = np.array(labels, np.int32)
    train, valid = held_out(given_labels, share, seed)
    assert sorted([*train, *valid]) == list(range(len(labels)))
    assert (np.diff(train) > 0).all() and (np.diff(valid) > 0).all()
    assert set(given_labels[train].tolist()) == set(labels)
    wanted = max(1, round(share * len(labels)))
    assert len(valid) == min(wanted, len(labels) - len(set(labels)))
    for label in set(labels):
        n, held = labels.count(label), int((given_labels[valid] == label).sum())
        expected = len(valid) * (n - 1) / max(1, len(labels) - len(set(labels)))
        assert abs(held - expected) <= 1
    again = held_out(given_labels, share, seed)
    assert np.array_equal(train, again[0]) and np.array_equal(valid, again[1])


@given(st.integers(2, 30), st.floats(0.01, 0.9), st.integers(0, 9))
def test_groups_are_held_out_whole(n_groups: int, share: float, seed: int) -> None:
    groups = np.random.default_rng(seed).permutation(np.arange(200) % n_groups)
    labels = np.arange(200, dtype=np.int32) % 3
    train, valid = held_out(labels, share, seed, groups)
    assert sorted([*train, *valid]) == list(range(200))
    assert not set(groups[train]) & set(groups[valid])
    assert len(set(groups[valid].tolist())) <= max(1, round(share * n_groups))


def test_chance_decides_which_are_held_out() -> None:
    labels = np.zeros(1000, np.int32)
    one, other = held_out(labels, 0.1, 1)[1], held_out(labels, 0.1, 2)[1]
    assert len(one) == len(other) == 100 and len(np.intersect1d(one, other)) < 30


@given(lengths, sizes)
def test_ngrams_stand_below_their_own_sources(lengths: list[int], size: int) -> None:
    plain = ids(lengths, size)
    runs = Ragged.of(np.arange(n, dtype=np.int32) * 100 + i for i, n in enumerate(lengths))
    examples = Examples(plain.sources, plain.targets, batch=size, seed=1, ngrams=runs)
    for some in (examples, examples.subset(slice(0, 3))):
        batch = some.batch(0)
        assert batch.ngrams is not None
        for i, column in zip(batch.targets[0], batch.ngrams.T, strict=True):
            assert column[column >= 0].tolist() == runs[i].tolist()


def shorter(sources: list[Array], rng: np.random.Generator) -> list[Array]:
    """Each without a few steps at its end."""
    return [x[: len(x) - rng.integers(0, len(x))] for x in sources]


def augmented() -> Examples:
    """Twenty sources of ten steps, source i being i + 1 all along."""
    sources = Ragged.of(np.full(10, i + 1, np.int32) for i in range(20))
    targets = Ragged.of(np.array([i], np.int32) for i in range(20))
    return Examples(sources, targets, batch=4, seed=1, augment=shorter)


def test_augmentation_is_pure_in_the_step_and_keeps_targets() -> None:
    examples, lengths = augmented(), set()
    for step in (7, 0, 7, 3):
        batch, again = examples.batch(step), augmented().batch(step)
        assert batch.source is not None and batch.starts is not None and again.source is not None
        np.testing.assert_array_equal(batch.source, again.source)
        np.testing.assert_array_equal(batch.source[-1], batch.targets[0] + 1)
        np.testing.assert_array_equal((batch.source > 0).argmax(0), batch.starts)
        lengths |= set(batch.real().sum(0).tolist())
    assert len(lengths) > 4


def test_the_same_examples_are_augmented_anew_in_each_pass() -> None:
    examples = augmented().subset(np.arange(1))
    assert len({len(batch.real()) for batch in map(examples.batch, range(20))}) > 4


def test_nothing_is_augmented_in_evaluation() -> None:
    for _, batch in augmented().in_order(3):
        assert batch.real().all() and len(batch.real()) == 10


@given(lengths, sizes)
def test_spellings_stand_beside_their_words(lengths: list[int], size: int) -> None:
    plain = ids(lengths, size)
    spelled = Ragged.of(np.arange(n, dtype=np.int32) + 10 * i for i, n in enumerate(lengths))
    table = np.zeros((400, 5), np.int32)
    examples = Examples(
        plain.sources, plain.targets, batch=size, seed=1, spellings=spelled, letters=table
    )
    some = [examples.batch(0), examples.subset(slice(0, 3)).batch(0)]
    for batch in (*some, *(batch for _, batch in examples.in_order(size))):
        assert batch.spellings is not None and batch.starts is not None
        assert batch.letters is table
        for i, start, column in zip(batch.targets[0], batch.starts, batch.spellings.T, strict=True):
            own = spelled[i].tolist() or [0]
            assert column.tolist() == [0] * start + own


def test_rare_words_are_unknown_at_times_but_never_in_evaluation() -> None:
    counts = np.array([1, 1, 9, 1, 1])
    vocabulary = Vocabulary(("<EOS>", "<UNK>", "a", "b", "c"), counts, TextSettings())
    rare = Rare.of(vocabulary)
    assert rare.rare.tolist() == [False, False, False, True, True]
    sources = [np.array([2, 3, 2, 4] * n, np.int32) for n in (1, 0, 200)]
    examples = Examples(
        sources,
        [np.zeros(1, np.int32)] * 3,
        batch=3,
        seed=1,
        augment=rare,
        spellings=Ragged.of(sources),
        letters=np.zeros((5, 3), np.int32),
    )
    batch, again = examples.batch(0), examples.batch(0)
    assert batch.source is not None and batch.spellings is not None
    assert np.array_equal(batch.source, again.source)  # type: ignore[arg-type]
    changed = batch.source != batch.spellings
    assert (batch.source[changed] == UNK_ID).all()
    assert set(np.unique(batch.spellings[changed]).tolist()) == {3, 4}
    assert changed.sum() / (batch.spellings > 2).sum() == pytest.approx(rare.share, abs=0.1)
    assert not np.array_equal(batch.source, examples.batch(1).source)  # type: ignore[arg-type]
    ((_, plain),) = examples.in_order(3)
    assert np.array_equal(plain.source, plain.spellings)  # type: ignore[arg-type]
    given_sources = [x.copy() for x in sources]
    assert [len(x) for x in rare(sources, np.random.default_rng(0))] == [4, 0, 800]
    assert all(map(np.array_equal, sources, given_sources))
