r"""Where the grids of a sampler start: the leading grid below T, the trailing grid at T.

S steps among T times, counted from 1, with :math:`T = S k + r`, k the whole part of T / S. "Leading" takes
:math:`1, 1 + k, 1 + 2k, \dots`, "trailing" :math:`T, T - T/S, T - 2 T/S, \dots` and rounds. A network asked first at a time
below T is handed pure noise where it was trained on noise with signal in it.
"""

from sympy import Integer

from verifydiff.forms import terminal
from verifydiff.forms.quantities import NONNEGATIVE
from verifydiff.forms.terminal import rest, steps, stride, times
from verifydiff.proof import derivation, letter

entry, index = letter("entry", "t_i"), letter("index", "i", domain=NONNEGATIVE)
LIN = "Lin et al. 2024"


def leading(d):
    """The i-th entry of the leading grid, counted from 0."""
    return d.induction(
        entry, 1, entry + stride, 1 + index * stride, {index: Integer(0)}, {index: index + 1}, "one stride further at every entry"
    )


@derivation(terminal.leading_gap)
def leading_gap(d):
    """The last of S entries is S - 1 strides above the first: the grid starts a stride short of T, and by the rest more."""
    top = leading(d).xreplace({index: steps - 1})
    d.equal(times, steps * stride + rest, "T is S strides and a rest")
    d.conclude(times - top)
    d.misprint(rest, "the first entry taken for the end of a stride, where it is its start")
    d.misprint(Integer(0), "the grid taken to start at T: huggingface/diffusers#2585")


@derivation(
    id="grid.leading_starts_below", title="the leading grid starts below T unless it takes every time", source=f"{LIN}, sec. 3.3"
)
def leading_starts_below(d):
    """The gap is 0 for a stride of 1 without a rest only; at a stride of 2 or more it is at least 1, whatever the rest."""
    gap = d.use(terminal.leading_gap)
    d.at_most(0, gap, "never above T")
    d.equal(gap.xreplace({stride: Integer(1), rest: Integer(0)}), 0, "every time is taken: the grid starts at T")
    d.equal(gap.xreplace({stride: Integer(100), rest: Integer(0)}), 99, "1000 times, 10 steps: the grid starts at 901")
    d.assume(stride >= 2, "fewer steps than half the times")
    d.at_most(1, gap, "the network is never asked at T")


@derivation(terminal.trailing_last)
def trailing_last(d):
    """Down from T by T / S: after S - 1 steps T / S is left, and T itself is the first to be asked."""
    length = times / steps
    closed = d.induction(
        entry,
        times,
        entry - length,
        times - index * length,
        {index: Integer(0)},
        {index: index + 1},
        "down by T / S at every entry",
    )
    d.equal(closed.xreplace({index: Integer(0)}), times, "the first entry is T")
    d.at_most(1, length, "the last is at least 1, since S is at most T")
    d.conclude(closed.xreplace({index: steps - 1}))
    d.misprint(Integer(1), "the trailing grid ends at T / S, not at the first time: that time is left to the last step")
