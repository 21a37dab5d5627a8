"""The table of cells: a new one is a new file and one line here."""

from lmtool.nn.cells import gru, lstm, rnn
from lmtool.nn.cells.base import Cell, State, Weights

__all__ = ["CELLS", "Cell", "State", "Weights"]

CELLS: dict[str, Cell] = {cell.name: cell for cell in (lstm.CELL, gru.CELL, rnn.CELL)}
