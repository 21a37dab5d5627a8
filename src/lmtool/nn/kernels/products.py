"""Products with few rows, whose right side is used again and again: out (M, N) = x (M, K) y (K, N).

BLAS copies both sides into another order at every product, which costs as much as the product where
M is small. Here y is cut once, into strips as wide as a few vectors of the processor, and a tile of
the product stays in its registers from the first factor to the last (Goto & van de Geijn 2008):

    out[m, n] = fma(x[m, K-1], y[K-1, n], ... fma(x[m, 0], y[0, n], 0))     (1)

One chain of fused multiply-adds for each number, so that its bits depend neither on the rows and
columns beside it, nor on how many there are, nor on the processor's vectors.
"""

import itertools
from typing import Any, NamedTuple

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

__all__ = ["multiply_strips", "strip_width"]

kernel = compiler(__file__)

tools: Any = cgutils
FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


class Tile(NamedTuple):
    """What the registers hold of a product, beside the factors."""

    rows: int
    vectors: int  # side by side
    size: int  # bytes of a vector


TILES = {"+avx512f": Tile(5, 4, 64), "+avx2 +fma": Tile(4, 3, 32)}  # by what a processor must have


def tile_of_processor() -> Tile | None:
    """Of the one for which numba compiles; None where BLAS is faster, or nothing is compiled."""
    config: Any = numba.config
    if config.DISABLE_JIT:
        return None
    features = set(cpu_target.target_context.codegen().magic_tuple()[2].split(","))
    return next((tile for need, tile in TILES.items() if features.issuperset(need.split())), None)


TILE = tile_of_processor()
ROWS = TILE.rows if TILE else 1


def strip_width(itemsize: int) -> int:
    """Columns of a strip; 0 where products are BLAS's."""
    return TILE.vectors * TILE.size // itemsize if TILE else 0


# --- (1) in the processor's own terms -------------------------------------------------------


def _tile_product(
    typing: Any, rows: Any, x: Any, x_row: Any, y: Any, K: Any, out: Any, out_row: Any, zero: Any
) -> Any:
    """out (rows, width) = x (rows, K) y (K, width), at most ROWS rows.

    Matrices are addresses and numbers from row to row; ``zero`` says of what type they are.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.get_value_type(zero)
        rows, *matrices, _ = arguments
        for n in range(1, ROWS + 1):
            with builder.if_then(builder.icmp_signed("==", rows, rows.type(n))):
                _emit(builder, n, number, *matrices)
        return context.get_dummy_value()

    return types.void(*(types.intp,) * 7, zero), generate


def _emit(
    builder: Any, rows: int, number: Any, x: Any, x_row: Any, y: Any, K: Any, out: Any, out_row: Any
) -> None:
    """The same for so many rows: sums in registers, no branch but the loop over K."""
    assert TILE is not None
    size = 4 if isinstance(number, ir.FloatType) else 8
    lanes = TILE.size // size
    vector, integer = ir.VectorType(number, lanes), K.type
    three = ir.FunctionType(vector, [vector] * 3)
    fma = tools.get_or_insert_function(builder.module, three, f"llvm.fma.v{lanes}f{8 * size}")
    x, y, out = (builder.inttoptr(matrix, number.as_pointer()) for matrix in (x, y, out))

    def at(matrix: Any, row: Any, distance: Any, column: Any) -> Any:
        return builder.gep(matrix, [builder.add(builder.mul(row, distance), column)])

    def vector_at(*place: Any) -> Any:
        return builder.bitcast(at(*place), vector.as_pointer())

    columns = [integer(j * lanes) for j in range(TILE.vectors)]
    sums = [[tools.alloca_once(builder, vector) for _ in columns] for _ in range(rows)]
    for total in itertools.chain(*sums):
        builder.store(ir.Constant(vector, [0.0] * lanes), total)
    with tools.for_range(builder, K) as loop:
        width = integer(len(columns) * lanes)
        strip = [
            builder.load(vector_at(y, loop.index, width, column), align=size) for column in columns
        ]
        for i, totals in enumerate(sums):
            factor = _spread(builder, builder.load(at(x, integer(i), x_row, loop.index)), vector)
            for part, total in zip(strip, totals, strict=True):
                builder.store(builder.call(fma, [factor, part, builder.load(total)]), total)
    for i, totals in enumerate(sums):
        for column, total in zip(columns, totals, strict=True):
            place = vector_at(out, integer(i), out_row, column)
            builder.store(builder.load(total), place, align=size)


def _spread(builder: Any, number: Any, vector: Any) -> Any:
    """A vector of one number."""
    undefined, index = ir.Constant(vector, ir.Undefined), ir.IntType(32)
    first = builder.insert_element(undefined, number, index(0))
    everywhere = ir.Constant(ir.VectorType(index, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, everywhere)


_multiply_tile: Any = intrinsic(_tile_product)


# --- the product ----------------------------------------------------------------------------


@kernel(**FLAGS)
def multiply_strips(x: Array, strips: Array, out: Array) -> None:
    """(1); strips (n, K, width) hold y, the last one its last columns, some of them once more.

    Rows must lie in memory number by number.
    """
    M, K = x.shape
    n, depth, width = strips.shape
    N, size, zero = out.shape[1], strips.itemsize, strips.dtype.type(0)
    if x.itemsize != size or out.itemsize != size or x.strides[1] != size or out.strides[1] != size:
        raise ValueError("numbers of one type, row by row")
    if out.shape[0] != M or depth != K or not (n - 1) * width < N <= n * width or width > N:
        raise ValueError("shapes that fit each other")
    x_row, out_row, parts = x.strides[0] // size, out.strides[0] // size, -(-M // ROWS)
    for s in range(n):
        column = min(s * width, N - width)
        for part in range(parts):
            row = M * part // parts
            _multiply_tile(
                M * (part + 1) // parts - row,
                x.ctypes.data + size * row * x_row, x_row,
                strips.ctypes.data + size * s * K * width, K,
                out.ctypes.data + size * (row * out_row + column), out_row,
                zero,
            )  # fmt: skip
