"""Products of a sparse matrix."""

from typing import Any

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

__all__ = ["multiply_sparse"]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}


@kernel(**FLAGS)
def multiply_sparse(
    offsets: Any, columns: Any, values: Array, x: Array, out: Array, first: int, last: int
) -> None:
    """out[i] = sum_j values[j] x[columns[j]], j in offsets[i] .. offsets[i + 1], of some rows i."""
    for i in range(first, last):
        total = out[i]
        total[:] = 0
        for j in range(offsets[i], offsets[i + 1]):
            value, row = values[j], x[columns[j]]
            for k in range(row.shape[0]):
                total[k] += value * row[k]
