r"""Rules about vectors and matrices of any size: equality, completing the square, linear images of noise.

A Gaussian in n dimensions is known by its exponent: what is proportional to a density and integrates to one is that density, so
that normalisers need not be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from ...verdict import MisuseError, Proof
from ..claim import Claim, Decision
from ..decide import decide
from ..matrices import GENERAL, Nature, decide_matrices, feasible, is_positive_definite, matrix_latex, quadratic
from ..step import Check
from ..writer import Writer, turned

NEGATIVE_HALF = sympy.Rational(-1, 2)


class MatrixRules(Writer):
    """What a page can say of matrices."""

    def matrices(self, names: str, shape: Sequence[Any], because: str, nature: Nature = GENERAL) -> list[MatrixSymbol]:
        """Matrices of which nothing is known but their shape and nature, named as :func:`sympy.symbols` names letters.

        .. code-block:: python

            n = Symbol("n", integer=True, positive=True)
            x, mu = d.matrices("x mu", (n, 1), "two vectors")
            (Sigma,) = d.matrices("Sigma", (n, n), "a covariance", POSITIVE_DEFINITE)

        Raises:
            MisuseError: if a name is taken, or only a square matrix can be of that nature.
        """
        rows, columns = shape
        if nature != GENERAL and rows != columns:
            raise MisuseError(f"a matrix that is {nature} is square, got {rows} by {columns}.")
        made = [MatrixSymbol(name, rows, columns) for name in names.split()]
        for one in made:
            if any(isinstance(known, MatrixSymbol) and known.name == one.name for known in self._matrices):
                raise MisuseError(f"the page has a matrix {one.name} already.")
            self._matrices[one] = nature
        what = f", {nature}" if nature != GENERAL else ""
        self._write(
            "hypothesis", because, [],
            lambda: f"{', '.join(map(str, made))}: {rows} by {columns}{what}",
            lambda: rf"{', '.join(map(matrix_latex, made))} \in \mathbb{{R}}^{{{sympy.latex(rows)} \times {sympy.latex(columns)}}}"
            + (rf"\ \text{{{nature}}}" if nature != GENERAL else ""),
        )  # fmt: skip
        return made

    def assume_matrix(self, matrix: MatrixExpr, nature: Nature, because: str) -> MatrixExpr:
        """A hypothesis on a matrix that is no letter, such as that a sum is positive definite; shown with the claim.

        Raises:
            MisuseError: if the matrix is a letter, or the hypothesis holds at no matrices that were tried.
        """
        if not isinstance(matrix, MatrixExpr) or isinstance(matrix, MatrixSymbol):
            raise MisuseError(f"the nature of a letter is said where it is declared; got {matrix!r}.")
        if matrix.shape[0] != matrix.shape[1] or nature == GENERAL:
            raise MisuseError(f"only a square matrix has a nature to be assumed, got {matrix}.")
        self._matrices[matrix] = nature
        if not feasible(self._matrices, self.assumed):
            raise MisuseError(f"no matrices were found at which {matrix} is {nature}.")
        self._write(
            "hypothesis", because, [],
            lambda: f"{matrix} is {nature}",
            lambda: rf"{matrix_latex(matrix)}\ \text{{is {nature}}}",
        )  # fmt: skip
        return matrix

    def matrix_equal(self, lhs: MatrixExpr, rhs: MatrixExpr, because: str) -> MatrixExpr:
        """Two matrix expressions are equal, for matrices of every size; returns the right one."""
        check = self._matrices_agree("", lhs, rhs)
        self._write(
            "matrix algebra", because, [check], lambda: f"{lhs} = {rhs}", lambda: f"{matrix_latex(lhs)} = {matrix_latex(rhs)}"
        )
        return rhs

    def matrix_misprint(self, wrong: MatrixExpr, right: MatrixExpr, because: str) -> None:
        """A mistake that people make with matrices is refuted: the two differ for some size and some matrices."""
        decision = turned(decide_matrices(wrong, right, self._matrices, self.assumed))
        self._write(
            "matrix misprint", because, [Check(f"refuted: {wrong} = {right}", None, decision)],
            lambda: f"not {wrong} = {right}",
            lambda: rf"{matrix_latex(wrong)} \ne {matrix_latex(right)}",
        )  # fmt: skip

    def complete_the_square(
        self, exponent: MatrixExpr, of: MatrixSymbol, mean: MatrixExpr, covariance: MatrixExpr, rest: MatrixExpr, because: str
    ) -> tuple[MatrixExpr, MatrixExpr]:
        r"""The density proportional to exp(exponent) is a Gaussian; returns its mean and covariance.

        Checked: the exponent is :math:`-\frac12 (x - m)^T C^{-1} (x - m)` plus a rest, in any dimension; m, C and the rest
        are free of x; C is positive definite.

        Args:
            exponent: a 1 by 1 matrix expression.
            of: the vector x.
            mean, covariance: m and C.
            rest: what is free of x; its exponential goes into the normaliser.
            because: the justification.

        Raises:
            MisuseError: if x is no vector of the page, or one of the parts depends on it.
        """
        self._refuse_dependent(of, mean, covariance, rest)
        away = of - mean
        square = NEGATIVE_HALF * quadratic(covariance.inverse(), away)
        checks = [
            self._is_positive(covariance),
            self._matrices_agree("the exponents agree", exponent, square + rest),
        ]
        name = _normal(of, mean, covariance)
        self._write(
            "completing the square", because, checks,
            lambda: f"{exponent} = {square} + {rest}: proportional to N({of} | {mean}, {covariance})",
            lambda: rf"\exp\left({matrix_latex(exponent)}\right) \propto {name}",
            f"what is proportional to a density and integrates to one is that density; the factor exp({rest}) is free of {of}",
        )  # fmt: skip
        return mean, covariance

    def linear_image(
        self, of: MatrixSymbol, mean: MatrixExpr, root: MatrixExpr, covariance: MatrixExpr, because: str
    ) -> tuple[MatrixExpr, MatrixExpr]:
        r"""Where z is standard normal noise, x = mean + root z has the law N(mean, covariance).

        Checked: :math:`z^T z` with :math:`z = R^{-1} (x - m)` is :math:`(x - m)^T C^{-1} (x - m)`, and C is positive definite.

        Raises:
            MisuseError: if x is no vector of the page, or one of the parts depends on it, or the root has no inverse.
        """
        self._refuse_dependent(of, mean, root, covariance)
        away = of - mean
        noise = root.inverse() * away
        checks = [
            self._is_positive(covariance),
            self._matrices_agree("the root times its transpose", root * root.T, covariance),
            self._matrices_agree("the exponents agree", noise.T * noise, quadratic(covariance.inverse(), away)),
        ]
        image = mean + root * MatrixSymbol("z", root.shape[1], 1)
        name = _normal(of, mean, covariance)
        self._write(
            "linear image of noise", because, checks,
            lambda: f"{of} = {image} has the law N({mean}, {covariance})",
            lambda: rf"{matrix_latex(of)} = {matrix_latex(image)},\ z \sim \mathcal{{N}}(0, \mathbb{{I}})\ \Rightarrow\ {name}",
            "the density of the image under a linear bijection: the exponent at z(x), times a constant that the integral fixes",
        )  # fmt: skip
        return mean, covariance

    # -- under a rule ------------------------------------------------------------------------------------------------------

    def _matrices_agree(self, what: str, lhs: MatrixExpr, rhs: MatrixExpr) -> Check:
        decision = decide_matrices(lhs, rhs, self._matrices, self.assumed)
        if decision.outcome is Proof.PROVED:
            return Check(what, None, decision)
        return Check(f"{what}: {lhs} = {rhs}" if what else f"{lhs} = {rhs}", None, decision)

    def _is_positive(self, matrix: MatrixExpr) -> Check:
        def positive(scalar: sympy.Expr) -> bool:
            return decide(Claim(sympy.Integer(0), "<", scalar, self.assumed)).outcome is Proof.PROVED

        what = f"{matrix} is positive definite"
        if is_positive_definite(matrix, self._matrices, positive):
            return Check(what, None, Decision(Proof.PROVED, "declared, or made of such"))
        return Check(what, None, Decision(Proof.UNDECIDED, "not decided", remains=f"{what}; say so with `assume_matrix`"))

    def _refuse_dependent(self, of: MatrixSymbol, *parts: MatrixExpr) -> None:
        if self._matrices.get(of) != GENERAL or of.shape[1] != 1:
            raise MisuseError(f"{of} is no vector of the page.")
        for part in parts:
            if not isinstance(part, MatrixExpr):
                raise MisuseError(f"{part!r} is no matrix expression.")
            if part.has(of):
                raise MisuseError(f"{part} depends on {of}.")
        for known, nature in self._matrices.items():
            if nature != GENERAL and known.has(of):
                raise MisuseError(f"the rule is about all values of {of}, and that {known} is {nature} narrows them.")


def _normal(of: MatrixExpr, mean: MatrixExpr, covariance: MatrixExpr) -> str:
    return rf"\mathcal{{N}}\left({matrix_latex(of)} \mid {matrix_latex(mean)},\ {matrix_latex(covariance)}\right)"
