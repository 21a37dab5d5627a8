"""The BLAS at hand."""

from threadpoolctl import threadpool_info

TRIED = ("Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids")  # AVX2; AVX-512


def keeps_rows_apart() -> bool:
    """Whether it is an OpenBLAS in which rows are known to keep apart."""
    return any(one.get("architecture") in TRIED for one in threadpool_info())
