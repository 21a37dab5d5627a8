"""The table of cells: a new one is a new file and one line here."""

from typing import Protocol

from lmtool.nn.cells import gru, lstm, rnn, window
from lmtool.nn.cells.base import Cell, State, Weights

__all__ = ["CELLS", "Cell", "Sized", "State", "Weights", "cell_of"]

CELLS: dict[str, Cell] = {cell.name: cell for cell in (lstm.CELL, gru.CELL, rnn.CELL, window.CELL)}


class Sized(Protocol):
    """Settings of any kind of model."""

    @property
    def cell(self) -> str:
        """A key of CELLS."""

    @property
    def window(self) -> int:
        """Words that a cell with a window sees."""


def cell_of(settings: Sized) -> Cell:
    """The cell that the settings ask for."""
    return CELLS[settings.cell].wide(settings.window)
