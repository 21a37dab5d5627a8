"""Every kernel of the models: fused loops over arrays and scalars; importing it loads numba.

A file holds a family and calls no other's kernels: numba's cache does not notice edits there.
"""

from lmtool.nn.kernels.chain import chain_cross_entropy, chain_messages
from lmtool.nn.kernels.ctc import ctc_cross_entropy
from lmtool.nn.kernels.gates import (
    ACTIVATE,
    ACTIVATE_BACKWARD,
    enter,
    gru_gates,
    gru_gates_backward,
    lstm_gates,
    lstm_gates_backward,
    relu_gate,
    relu_gate_backward,
    row,
    tanh_gate,
    tanh_gate_backward,
)
from lmtool.nn.kernels.letters import largest_of_windows, largest_of_windows_backward
from lmtool.nn.kernels.products import multiply_strips, strip_width
from lmtool.nn.kernels.softmax import (
    block_cross_entropy,
    sampled_cross_entropy,
    softmax_cross_entropy,
)
from lmtool.nn.kernels.updates import (
    adam_catch_up,
    adam_rows,
    adam_step,
    add,
    dynamic_step,
    scatter_add,
    sgd_rows,
    sgd_step,
    sum_of_squares,
)
from lmtool.nn.kernels.viterbi import chain_decode

__all__ = [
    "ACTIVATE",
    "ACTIVATE_BACKWARD",
    "adam_catch_up",
    "adam_rows",
    "adam_step",
    "add",
    "block_cross_entropy",
    "chain_cross_entropy",
    "chain_decode",
    "chain_messages",
    "ctc_cross_entropy",
    "dynamic_step",
    "enter",
    "gru_gates",
    "gru_gates_backward",
    "largest_of_windows",
    "largest_of_windows_backward",
    "lstm_gates",
    "lstm_gates_backward",
    "multiply_strips",
    "relu_gate",
    "relu_gate_backward",
    "row",
    "sampled_cross_entropy",
    "scatter_add",
    "sgd_rows",
    "sgd_step",
    "softmax_cross_entropy",
    "strip_width",
    "sum_of_squares",
    "tanh_gate",
    "tanh_gate_backward",
]
