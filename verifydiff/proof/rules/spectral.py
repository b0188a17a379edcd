r"""Statements about functions of one symmetric matrix, by its eigenvalues.

A symmetric matrix is diagonal in an orthonormal basis, and so is every function of it: sums, products, inverses and roots
are taken eigenvalue by eigenvalue. An identity between such functions, or an order between them, therefore holds exactly if
it holds for each eigenvalue, which is a statement about numbers.
"""

from __future__ import annotations

import sympy

from ...forms.quantities import NONNEGATIVE
from ...verdict import MisuseError
from ..tower import domain_of
from ..writer import Writer, tex


class SpectralRules(Writer):
    """What a page can say of matrices."""

    def spectral(self, symbol: str, letter: sympy.Symbol, because: str) -> sympy.Symbol:
        """All matrices of the page are functions of one symmetric positive semidefinite matrix; returns its eigenvalue.

        Args:
            symbol: LaTeX of the matrix.
            letter: what stands for its eigenvalue; any number that is not negative may be one.
            because: the justification.

        Raises:
            MisuseError: if the page has such a matrix already, or the letter cannot be every eigenvalue.
        """
        if any(step.rule == "spectral theorem" for step in self.steps):
            raise MisuseError("a page has one such matrix: functions of two that do not commute have no common eigenvalues.")
        self._refuse_defined(letter)
        if domain_of(letter) != NONNEGATIVE:
            raise MisuseError(
                f"{letter} is to be any eigenvalue of a positive semidefinite matrix; give it the domain NONNEGATIVE."
            )
        self._on_the_whole_line(letter)
        self._write(
            "spectral theorem", because, [],
            lambda: f"{symbol} -> {letter}, an eigenvalue",
            lambda: rf"{symbol} = U \operatorname{{diag}}({tex(letter)}_i)\, U^\top,\quad U^\top U = I",
            "a symmetric matrix has an orthonormal basis of eigenvectors, in which every function of it is diagonal: an identity "
            "or an order between functions of it holds exactly if it holds for each eigenvalue",
        )  # fmt: skip
        return letter
