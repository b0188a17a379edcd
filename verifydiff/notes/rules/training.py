r"""What a model is trained by: the terms of the bound, the losses, the variance between two bounds.

- The first term of the bound is :math:`L_0 = -\log p_\theta(x_0 \mid x_1)`: the logarithm of a density is never a loss, its
  negative is.
- In a regression :math:`\|\text{network} - \text{target}\|^2` the two agree where the network is perfect and the noise is known,
  so that their difference vanishes once what is predicted is what is true.
- A variance between two bounds, :math:`\Sigma = \exp(v \log \beta_t + (1 - v) \log \tilde\beta_t)`, has weights that sum to one.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..meanings import read, value
from ..reading import Density, Logs, Reading
from ..said import NETWORKS
from ..tree import Applied, Call, Letter, Node, Norm, Product, Sum, Term, walk
from .link import Link, Owed, bare

LOSSES = {"L", "cal:L", "J", "cal:J", "ell"}


def is_loss(node: Node) -> bool:
    """Whether it is the name of a loss."""
    node = bare(node)
    letter = node.function if isinstance(node, Call) else node
    return isinstance(letter, Letter) and letter.base in LOSSES


def likelihood(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A loss that is the logarithm of one density has a minus before it."""
    if not link.is_equation or not is_loss(link.left) or reading.mode != "plain":
        return
    found = read(link.right, reading)
    if isinstance(found, Density) or not isinstance(found, Logs) or len({measure for measure, _ in found.parts}) != 1:
        return
    largest = max(found.parts, key=lambda key: len(key[1]))
    yield [Owed("the sign of the logarithm", reading.number(found.parts[largest]), reading.number(Fraction(-1)))]


def regression(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A loss by the distance of a network from its target: it vanishes for the perfect network."""
    if not link.is_equation or not is_loss(link.left) or reading.mode != "unified":
        return
    norms = [one for one in walk(link.right) if isinstance(one, Norm) and _predicts(one.body)]
    if norms:
        yield [
            Owed("the distance of a perfect network from its target", value(one.body, reading), reading.number(0)) for one in norms
        ]


def _predicts(node: Node) -> bool:
    """Whether it is a difference with a network in it."""
    if not isinstance(node, Sum) or len(node.terms) < 2:
        return False
    held = [one for one in walk(node) if isinstance(one, Letter)]
    return any(isinstance(label, Letter) and label.base in NETWORKS for one in held for label in (*one.index, *one.upper))


def interpolated(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A variance by a mean of logarithms: the weights sum to one."""
    left, right = bare(link.left), bare(link.right)
    letter = left.function if isinstance(left, Call) else left
    if not link.is_equation or not isinstance(letter, Letter) or letter.base not in ("Sigma", "sigma"):
        return
    if not isinstance(right, Applied) or right.name != "exp" or not isinstance(bare(right.arguments[0]), Sum):
        return
    terms = getattr(bare(right.arguments[0]), "terms", ())
    weights = [_weight(term) for term in terms]
    if len(weights) < 2 or any(one is None for one in weights):
        return
    total = sum((term.sign * value(one, reading) for term, one in zip(terms, weights, strict=True) if one), reading.number(0))
    yield [Owed("the sum of the weights", total, reading.number(1))]


def _weight(term: Term) -> Node | None:
    """What stands before the logarithm of a summand."""
    body = bare(term.body)
    if not isinstance(body, Product) or len(body.factors) != 2:
        return None
    one, other = body.factors
    return one if isinstance(bare(other), Applied) and getattr(bare(other), "name", "") in ("log", "ln") else None
