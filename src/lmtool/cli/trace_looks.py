"""How ``lmtool trace`` shows steps, products and sums of gradients."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lmtool.cli.layout import BETWEEN, cells_wide
from lmtool.cli.render import bar, cut, decimals, number, paragraph, table
from lmtool.cli.terminal import console, is_terminal
from lmtool.display import counted
from lmtool.settings.shared import ACTIVATED

if TYPE_CHECKING:
    from lmtool.inference.anatomy import Line
    from lmtool.inference.trace import Trace, TraceStep
    from lmtool.inference.unrolling import Backward, BackwardTerm

__all__ = ["forward", "head", "one", "side_by_side"]

NUMBERS = 8  # of a vector, unless all are asked for
WORD = 20  # characters of a word
BAR = 10
EQUAL = 1e-9  # of a difference between two ways to the same numbers
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Named = tuple[str, "Trace"]  # the model's file


def one(trace: "Trace", whole: bool) -> Iterator[str]:
    """Everything that was asked of one model."""
    yield head(trace)
    yield forward(trace, whole)
    for step in trace.steps:
        if step.products:
            yield f"\n{products(step, whole)}"
    if trace.back is not None:
        yield f"\n{backward(trace.back)}"


def head(trace: "Trace") -> str:
    """``rnn tanh, 1 layer, V 277, E 3, H 4``"""
    sizes, cell = trace.sizes, trace.cell
    named = f"{cell} {trace.activation}" if cell in ACTIVATED else cell
    tied = "tied" if trace.tied else "not tied"
    about = f"{named}, {counted(sizes['layers'], 'layer')}, V {sizes['V']}, E {sizes['E']}"
    own = f"; network {trace.member} of {trace.n_members}" * (trace.n_members > 1)
    own += "; without what it is mixed with" * trace.mixed
    if trace.zeros is not None and trace.dead is not None:
        shares = f"{trace.zeros:z.0%} of a_t 0, {trace.dead:z.0%} of the units at every step"
        own += f"; ReLU makes {shares}".replace("%", " %")
    exact = f"float64, ln p within {number(trace.difference, 2)} of lmtool score"
    return paragraph(f"{about}, H {sizes['H']}, {tied}{own}; a_0 = 0; {exact}")


def forward(trace: "Trace", whole: bool) -> str:
    """A row a step, and the loss of the sentence."""
    rows = [
        (
            str(step.t),
            spelled(step.input, step.input_oov),
            spelled(step.target, step.oov),
            str(step.input_id),
            number(step.p, 3),
            decimals(step.loss, 4),
            vector(step.state["a"], whole),
        )
        for step in trace.steps
    ]
    shown = table(("t", "x_t", "y_t", "id", "p_t[y_t]", "L_t", "a_t"), rows, 3, (), False)
    more = ""
    if len(rows) < trace.n_steps:
        first, last = trace.steps[0].t, trace.steps[-1].t
        ways = "--step T shows another one, --all all of them"
        more = f"\n{paragraph(f'steps {first:,} to {last:,} of {trace.n_steps:,}; {ways}')}"
    loss = f"L = {decimals(trace.loss, 4)}"
    mean = f"perplexity exp(L / {trace.n_steps}) = {decimals(trace.perplexity, 4)}"
    return f"{shown}{more}\n{paragraph(f'{loss}, {mean}')}"


def spelled(word: str, oov: bool) -> str:
    """A word as it is read."""
    return f"{cut(word, WORD)} as <UNK>" if oov else cut(word, WORD)


def vector(values: Sequence[float], whole: bool) -> str:
    """`` 0.380 -0.430 ...``"""
    shown = values if whole else values[:NUMBERS]
    more = " ..." * (len(shown) < len(values))
    return " ".join(decimals(value, 3, " ") for value in shown) + more


def products(step: "TraceStep", whole: bool) -> str:
    """Every product with its shapes, and the likeliest words."""
    rows = [
        (line.name, line.shapes, contents(step, line, whole), check(line)) for line in step.products
    ]
    wide = sum(max(map(cells_wide, column)) + BETWEEN for column in zip(*rows, strict=True))
    if is_terminal(sys.stdout) and wide > console(sys.stdout).width:
        shown = f"step {step.t}\n" + "\n".join(map(below, rows))
    else:
        shown = table((f"step {step.t}", "shapes", "numbers", ""), rows, 4)
    most = step.top[0].p if step.top else 1.0
    likely = [(cut(word.word, WORD), bar(word.p / most), number(word.p, 3)) for word in step.top]
    title = f"largest of p_{step.t}"
    return shown + (f"\n\n{table((title, '', 'p'), likely, 2, (), False)}" if likely else "")


def below(row: Sequence[str]) -> str:
    """A line of a step where there is no room for columns: its parts one below the other."""
    name, *parts = row
    return "\n".join([paragraph(name), *(paragraph(f"  {x.strip()}", "  ") for x in parts if x)])


def contents(step: "TraceStep", line: "Line", whole: bool) -> str:
    """The numbers; of a one-hot vector where its 1 is."""
    if line.name == "one-hot":
        return f"0 .. 0 1 0 .. 0, the 1 at {step.input_id}"
    return vector(line.values, whole)


def check(line: "Line") -> str:
    """``= row 12 of E (difference 0)``"""
    if line.difference is None:
        return ""
    sign = "" if line.difference < EQUAL else "NOT "
    return f"{sign}{line.equals} (difference {number(line.difference, 2)})"


def backward(back: "Backward") -> str:
    """The sum, a row a term, and what it comes to."""
    t, (rows, columns), (D, V) = back.t, back.shape, back.output_shape
    dW_y = f"dL_{t}/dW_y = a_{t}' (p_{t} - onehot)"
    lines = [
        paragraph(f"{dW_y}, {D} x 1 . 1 x {V} = {D} x {V}, norm {number(back.output_norm, 4)}"),
        paragraph(
            f"dL_{t}/dW_a = sum over k of dL_{t}/dp_{t} . dp_{t}/da_{t} . da_{t}/da_k . da_k/dW_a"
        ),
        terms(back),
        *missing(back),
        paragraph(
            f"the sum of {counted(back.n_terms, 'term')}, {rows} x {columns}: norm"
            f" {number(back.norm, 4)}; BPTT: norm {number(back.bptt_norm, 4)}; {equal(back)}"
        ),
        paragraph(f"shapes: {chain(back)}; {rows} x 1 . 1 x {columns} = {rows} x {columns}"),
        *too_large(back),
        *fading(back),
    ]
    return "\n".join(lines)


def chain(back: "Backward") -> str:
    """The dimensions along dL_t/dp_t . dp_t/da_t . da_t/da_k."""
    (D, V), N = back.output_shape, back.n_state
    if D == N:
        return f"1 x {V} . {V} x {D} . {D} x {D} = 1 x {D}"
    return f"1 x {V} . {V} x {D} = 1 x {D}, in a state of {N}: 1 x {N} . {N} x {N} = 1 x {N}"


def terms(back: "Backward") -> str:
    """One row each, the last step first."""
    t, first = back.t, back.terms[0]
    parts, gated = list(first.by_part), first.kept is not None
    headers = ["k", "x_k", "", "share", "|term|", "W_aa", "W_ax"]
    headers += [*(f"|dL_{t}/d{name}_k|" for name in parts), f"|da_{t}/da_k|"] + ["kept"] * gated
    return table(headers, [row(one, gated) for one in back.terms], 3, (), False)


def row(term: "BackwardTerm", gated: bool) -> list[str]:
    """The numbers of a term."""
    return [
        str(term.k),
        cut(term.input, WORD),
        bar(min(1.0, abs(term.share or 0.0)), BAR),
        percent(term.share),
        *(number(value, 4) for value in (term.norm, term.norm_hh, term.norm_ih)),
        *(number(value, 4) for value in term.by_part.values()),
        number(term.product_norm, 4),
        *[number(term.kept, 3)] * gated,
    ]


def percent(share: float | None) -> str:
    """A share that may be negative."""
    return "" if share is None else f"{100 * share:z.1f} %"


def missing(back: "Backward") -> Iterator[str]:
    """How many terms there are beside those that are shown."""
    rest = back.n_terms - len(back.terms)
    if rest:
        shown = [term.share for term in back.terms if term.share is not None]
        share = percent(1 - sum(shown)) if shown else ""
        yield paragraph(f"{counted(rest, 'earlier term')}, share {share}: --all shows them")


def too_large(back: "Backward") -> Iterator[str]:
    """Why a column is empty."""
    if back.terms[0].product_norm is None:
        name = f"|da_{back.t}/da_k|"
        yield paragraph(f"{name} is left out: a state of {back.n_state:,} numbers is too large")


def equal(back: "Backward") -> str:
    """Whether the sum is what training computes."""
    same = back.largest_difference <= EQUAL * max(1.0, back.bptt_norm)
    verdict = "equal to BPTT" if same else "NOT equal to BPTT"
    return f"{verdict}: largest difference {number(back.largest_difference, 2)}"


def fading(back: "Backward") -> Iterator[str]:
    """How fast a gradient shrinks or grows, going back."""
    if back.keeps is not None:
        yield paragraph(
            f"a step back leaves {percent(back.keeps)} of |dL_{back.t}/ds_k| on average"
        )
    for layer, one in enumerate(back.recurrence, 1):
        name = f"W_aa of layer {layer}" if len(back.recurrence) > 1 else "W_aa"
        radius, norm = one["spectral_radius"], one["spectral_norm"]
        fades = " (below 1: gradients fade)" if norm < 1 else ""
        yield paragraph(f"{name}: spectral radius {radius:z.3f}, norm {norm:z.3f}{fades}")


def side_by_side(traces: Sequence[Named]) -> Iterator[str]:
    """The sums of several models: a pair of columns each, and what each comes to."""
    backs = [trace.back for _, trace in traces if trace.back is not None]
    letters = LETTERS[: len(traces)]
    names = [f"{x} {what}" for x in letters for what in (f"|da_{backs[0].t}/da_k|", "share")]
    rows = [
        [str(own[0].k), cut(own[0].input, WORD), *(cell for one in own for cell in brief(one))]
        for own in zip(*(back.terms for back in backs), strict=True)
    ]
    yield table(["k", "x_k", *names], rows, 2, (), False)
    for letter, (name, trace), back in zip(letters, traces, backs, strict=True):
        left = f"; a step back leaves {percent(back.keeps)}" if back.keeps is not None else ""
        loss = f"L_{back.t} = {decimals(back.loss, 4)}"
        yield paragraph(
            f"{letter} {cut(name)}: {reader_of(trace)}; {loss}{left}; {equal(back)}", "  "
        )


def reader_of(trace: "Trace") -> str:
    """``rnn tanh 1 x 4``"""
    activation = f" {trace.activation}" if trace.cell in ACTIVATED else ""
    return f"{trace.cell}{activation} {trace.sizes['layers']} x {trace.sizes['H']}"


def brief(term: "BackwardTerm") -> tuple[str, str]:
    """What is compared."""
    return number(term.product_norm, 4), percent(term.share)
