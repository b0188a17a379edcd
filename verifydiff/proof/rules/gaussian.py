r"""Rules about Gaussian densities: Bayes, marginalising, change of variables.

Densities are compared pointwise, normalisers included.
"""

from __future__ import annotations

from typing import Any

import sympy

from ...forms.quantities import in_base_letters
from ...verdict import MisuseError
from ..claim import exact, letters_of
from ..gaussian import Gaussian
from ..writer import Writer, tex


class GaussianRules(Writer):
    """What a page can say of Gaussian densities."""

    def bayes(self, likelihood: Gaussian, prior: Gaussian, evidence: Gaussian, posterior: Gaussian, because: str) -> Gaussian:
        """The posterior density is likelihood times prior over evidence, pointwise, normalisers included."""
        if (likelihood.of, prior.of) != (evidence.of, posterior.of):
            raise MisuseError("likelihood and evidence are laws of one letter, prior and posterior of the other.")
        if prior.of == likelihood.of or prior.of in evidence.letters or likelihood.of in prior.letters:
            raise MisuseError(f"the evidence must not depend on {prior.of}, nor the prior on {likelihood.of}.")
        self._on_the_whole_line(prior.of, likelihood.of)
        lhs = likelihood.log_density + prior.log_density - evidence.log_density
        checks = [self._positive(law) for law in (likelihood, prior, evidence, posterior)]
        checks.append(self._decide("log densities, pointwise", lhs, "==", posterior.log_density))
        self._write(
            "Bayes", because, checks,
            lambda: f"{likelihood} {prior} / {evidence} = {posterior}",
            lambda: rf"\frac{{{likelihood.latex()}\,{prior.latex()}}}{{{evidence.latex()}}} = {posterior.latex()}",
            "p(a | b) = p(b | a) p(a) / p(b) wherever p(b) > 0; a Gaussian density is positive everywhere",
        )  # fmt: skip
        return posterior

    def marginalise(self, prior: Gaussian, kernel: Gaussian, conditional: Gaussian, marginal: Gaussian, because: str) -> Gaussian:
        """Integrate ``prior.of`` out of prior times kernel: the joint factorises into a density of it and the marginal."""
        if (conditional.of, marginal.of) != (prior.of, kernel.of):
            raise MisuseError(f"the joint must factorise into a law of {prior.of} and one of {kernel.of}.")
        if prior.of == kernel.of or prior.of in marginal.letters or kernel.of in prior.letters:
            raise MisuseError(f"the marginal must not depend on {prior.of}, nor the prior on {kernel.of}.")
        self._on_the_whole_line(prior.of, kernel.of)
        checks = [self._positive(law) for law in (prior, kernel, conditional, marginal)]
        joint = prior.log_density + kernel.log_density
        checks.append(self._decide("joint factorises, pointwise", joint, "==", conditional.log_density + marginal.log_density))
        self._write(
            "marginalising", because, checks,
            lambda: f"int {prior} {kernel} d{prior.of} = {marginal}",
            lambda: rf"\int {prior.latex()}\,{kernel.latex()}\,d{tex(prior.of)} = {marginal.latex()}",
            f"the first factor is a density in {prior.of} and integrates to one; the second is free of {prior.of}",
        )  # fmt: skip
        return marginal

    def affine(self, law: Gaussian, image: Any, of: sympy.Symbol, result: Gaussian, because: str) -> Gaussian:
        """Change of variables: where ``law.of`` has the law, ``of = image`` (affine in ``law.of``) has the law ``result``."""
        x, image = law.of, in_base_letters(exact(image))
        if result.of != of or of in letters_of(image) | law.letters:
            raise MisuseError(f"the image is the law of {of}, and must not depend on {of} itself.")
        slope = sympy.diff(image, x)
        if x in slope.free_symbols or slope == 0:
            raise MisuseError(f"{image} is not affine in {x}, with a slope.")
        self._on_the_whole_line(x, of)
        inverse = x + (of - image) / slope
        checks = [self._positive(law), self._positive(result), self._nonzero(slope)]
        pushed = law.log_density.xreplace({x: sympy.expand(inverse)}) - sympy.log(sympy.Abs(slope))
        checks.append(self._decide("density of the image, pointwise", pushed, "==", result.log_density))
        self._write(
            "change of variables", because, checks,
            lambda: f"{of} = {image}, {law}  =>  {result}",
            lambda: rf"{tex(of)} = {tex(image)},\ {law.latex()}\ \Rightarrow\ {result.latex()}",
            "p_y(y) = p_x(x(y)) |dx/dy| for a bijection",
        )  # fmt: skip
        return result
