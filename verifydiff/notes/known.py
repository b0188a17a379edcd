r"""What a page has said so far: the letters that it introduced, and the laws that it supposed.

A letter may be introduced once for all times, :math:`K_t = 1 - \bar\alpha_t`, and differently for one of them, :math:`L_0`;
a function, :math:`\lambda(\sigma) = \dots`, for its arguments. A law may be supposed of the data,
:math:`x_0 \sim \mathcal{N}(\mu, s^2)`, or of a letter that is drawn, :math:`n \sim \mathcal{N}(0, \sigma^2)`; the letters of such a
law are given, and are no longer anybody's choice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .tree import Letter, Node, walk


@dataclass(frozen=True, slots=True)
class Introduced:
    """What a letter stands for.

    Attributes:
        body: the expression.
        index: the letter of the time that it was introduced with.
        at: the one time that it was introduced for; None for all.
        arguments: of a function, what it was introduced with.
    """

    body: Node
    index: str | None = None
    at: Node | None = None
    arguments: tuple[Node, ...] = ()


@dataclass
class Known:
    """What a page has said.

    Attributes:
        letters: what was introduced, by name, the last first.
        drawn: the variances of letters that are drawn from a centred normal law, by name.
        data: the mean and the variance of the data, where a normal law is supposed.
        given: the names of the letters of these laws.
        schedules: rates that were given as functions of time, beta(t) = ..., by name; they stay letters where they stand.
        halves: what lambda is of the log-SNR, "half" or "whole", where the page has said it.
        rate: the convention of an Ornstein-Uhlenbeck process, if the page speaks of one.
        clock: the convention of a flow, "flow" or "flow-up", if a formula has said where its data are.
        is_latent: whether the page's states are z, and its data a bare x.
        squares_eta: whether eta scales the deviation of the fresh noise, not its variance, by most formulas of the page.
    """

    letters: dict[str, tuple[Introduced, ...]] = field(default_factory=dict)
    drawn: dict[str, Node] = field(default_factory=dict)
    data: tuple[Node, Node] | None = None
    given: set[str] = field(default_factory=set)
    schedules: dict[str, Introduced] = field(default_factory=dict)
    halves: str = ""
    rate: str = ""
    clock: str = ""
    is_latent: bool = False
    squares_eta: bool = False

    def introduce(self, name: str, said: Introduced) -> None:
        """Remember what a letter stands for."""
        rest = tuple(one for one in self.letters.get(name, ()) if (one.at, one.arguments) != (said.at, said.arguments))
        self.letters[name] = (said, *rest)

    def suppose_data(self, mean: Node, variance: Node) -> None:
        """Remember the law of the data."""
        self.data = mean, variance
        self.given |= {one.base for node in (mean, variance) for one in walk(node) if isinstance(one, Letter)}
