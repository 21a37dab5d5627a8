"""Whether this process is one of several that a launcher of MPI started, by its environment."""

import os
from typing import NamedTuple

__all__ = ["Place", "place"]

LAUNCHERS = (  # rank, number of ranks
    ("PMI_RANK", "PMI_SIZE"),  # MPICH, Intel MPI, MS-MPI, srun --mpi=pmi2
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # Open MPI
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),  # srun; a batch script has no step
)


class Place(NamedTuple):
    """One of n processes."""

    rank: int
    n: int


def place() -> Place:
    """Where this process stands: (0, 1) if it was started alone."""
    for names in LAUNCHERS:
        rank, n = (os.environ.get(name, "") for name in names)
        if rank.isdecimal() and n.isdecimal() and int(rank) < int(n):
            return Place(int(rank), int(n))
    return Place(0, 1)
