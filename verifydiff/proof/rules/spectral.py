r"""Functions of one symmetric matrix, by its eigenvalues.

A covariance :math:`C = U \operatorname{diag}(c_i)\, U^\top` and whatever is a function of it, such as :math:`\bar\alpha C +
(1 - \bar\alpha) I`, its root and its inverse, are diagonal in the same coordinates :math:`U^\top x`. There every
coordinate is a claim about one number, and the letter stands for any of them.
"""

from __future__ import annotations

import sympy

from ...forms.quantities import NONNEGATIVE, POSITIVE, REAL
from ...verdict import MisuseError
from ..tower import domain_of
from ..writer import Writer, tex

_KINDS = {POSITIVE: "symmetric positive definite", NONNEGATIVE: "symmetric positive semidefinite", REAL: "symmetric"}


class SpectralRules(Writer):
    """What a page can say of the functions of one matrix."""

    def spectral(self, symbol: str, letter: sympy.Symbol, because: str) -> sympy.Symbol:
        """The letter is any eigenvalue of a symmetric matrix, and what holds of it holds of functions of the matrix.

        A letter that is positive stands for a positive definite matrix, one that may be 0 for a semidefinite one. Only functions
        of this one matrix are spoken of: two matrices that do not commute have no common eigenvectors.

        Args:
            symbol: LaTeX of the matrix.
            letter: the eigenvalue.
            because: the justification.

        Raises:
            MisuseError: if the page has such a matrix already, or the letter is narrowed, or no letter of its own.
        """
        if any(step.rule == "spectral theorem" for step in self.steps):
            raise MisuseError("a page has one such matrix: functions of two that do not commute have no common eigenvalues.")
        self._refuse_defined(letter)
        self._on_the_whole_line(letter)
        kind = _KINDS.get(domain_of(letter))
        if kind is None:
            raise MisuseError(f"{letter} lies in {domain_of(letter)}; an eigenvalue is real, positive, or at least 0.")
        self._write(
            "spectral theorem", because, [],
            lambda: f"{symbol} = U diag({letter}_i) U^T",
            lambda: rf"{symbol} = U \operatorname{{diag}}({tex(letter)}_i)\, U^\top",
            f"the matrix is {kind}, with an orthonormal basis of eigenvectors; an identity or an order between functions of it "
            f"holds exactly if it does for each eigenvalue {letter}",
        )  # fmt: skip
        return letter
