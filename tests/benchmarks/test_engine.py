"""How fast the engine decides, against ``sympy.simplify(lhs - rhs)`` in the same run.

    pytest tests/benchmarks/test_engine.py --benchmark-enable -q

prints one line a claim with the ratio in ``extra_info``; ``python tests/benchmarks/test_engine.py`` prints the table.
``alone`` decides a claim with nothing known; ``in a session`` as ``verifydiff prove`` does, where the other claims of
the table have been decided before, so that their letters and roots are known, but never the claim itself. Claims that
SymPy decides while the difference is being written down (it is literally 0) are no test of either and are left out.
"""

from __future__ import annotations

from time import perf_counter

import pytest
import sympy
from sympy import Integer, sqrt
from sympy.core.cache import clear_cache

from verifydiff.forms import ddim, ddpm, euler, forward
from verifydiff.forms.euler import xbar_t
from verifydiff.forms.quantities import abar_s, abar_t, alpha_t, beta_t, eps, eta, in_base_letters, sigma_t, v, x_0, x_t
from verifydiff.proof import Claim, claim, decide
from verifydiff.proof.decide import forget
from verifydiff.verdict import Proof

ONE = ddim.sigma.expression.xreplace({eta: Integer(1)})
PRECISION = alpha_t / beta_t + 1 / (1 - abar_s)
TURNED = {x_t: forward.noised.expression, v: forward.velocity.expression}
SCALED = {x_t: sqrt(abar_t) * xbar_t}
BOUND = (claim(sigma_t**2 <= 1 - abar_s),)

CLAIMS = {
    "posterior mean, by precisions": (
        (sqrt(alpha_t) / beta_t * x_t + sqrt(abar_s) / (1 - abar_s) * x_0) / PRECISION, ddpm.posterior_mean.expression,
    ),
    "posterior variance, by precisions": (1 / PRECISION, ddpm.posterior_variance.expression),
    "posterior mean, by the noise": (
        ddpm.posterior_mean.expression.xreplace({x_0: forward.x0_from_eps.expression}), ddpm.mean_from_eps.expression,
    ),
    "data from the velocity": (forward.x0_from_v.expression.xreplace(TURNED), x_0),
    "noise from the velocity": (forward.eps_from_v.expression.xreplace(TURNED), eps),
    "forward variance": (alpha_t * (1 - abar_s) + beta_t, 1 - abar_t),
    "DDIM weights": (ddim.x_0_coefficient.expression * x_0 + ddim.x_t_coefficient.expression * x_t, ddim.mean.expression),
    "DDIM, the noise that is kept": (
        ddim.x_t_coefficient.expression * x_t, sqrt(1 - abar_s - sigma_t**2) / sqrt(1 - abar_t) * x_t,
    ),
    "eta = 1 is the strided posterior": (ddim.mean.expression.xreplace({sigma_t: ONE}), ddpm.posterior_mean.expression),
    "eta = 1 is DDPM": (ddim.step_mean.expression.xreplace({sigma_t: ONE}), ddpm.mean_from_eps.expression),
    "Euler is DDIM": (
        ddim.step_mean.expression.xreplace({sigma_t: Integer(0)}).xreplace(SCALED) / sqrt(abar_s), euler.step.expression,
    ),
    "sigma up": (ONE / sqrt(abar_s), euler.sigma_up.expression),
    "sigma down": (sqrt(1 - abar_s - ONE**2) / sqrt(abar_s), euler.sigma_down.expression),
    "ancestral Euler is DDIM": (
        xbar_t + (euler.sigma_down.expression - euler.ve_t) * eps,
        ddim.step_mean.expression.xreplace({sigma_t: ONE}).xreplace(SCALED) / sqrt(abar_s),
    ),
}  # fmt: skip


def stated(lhs: sympy.Expr, rhs: sympy.Expr) -> Claim:
    return Claim(lhs, "==", rhs, BOUND if sigma_t in (lhs - rhs).free_symbols else ())


def simplified(lhs: sympy.Expr, rhs: sympy.Expr) -> tuple[float, bool]:
    """How long SymPy takes, with an empty cache, and whether it sees the identity."""
    difference = in_base_letters(lhs) - in_base_letters(rhs)
    clear_cache()
    began = perf_counter()
    result = sympy.simplify(difference)
    return perf_counter() - began, result == 0


def others(name: str) -> None:
    """Forget everything, then decide all claims of the table but one."""
    forget()
    for other, sides in CLAIMS.items():
        if other != name:
            decide(stated(*sides))


KNOWN = {"alone": lambda name: forget(), "in a session": others}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("name", CLAIMS)
def test_deciding(benchmark, name, known):
    one = stated(*CLAIMS[name])
    decision = benchmark.pedantic(lambda: decide(one), setup=lambda: KNOWN[known](name), rounds=40, warmup_rounds=2)
    assert decision.outcome is Proof.PROVED
    assert in_base_letters(one.lhs) - in_base_letters(one.rhs) != 0
    if benchmark.enabled:
        seconds, seen = simplified(*CLAIMS[name])
        benchmark.extra_info["ratio"] = round(seconds / benchmark.stats.stats.min)
        benchmark.extra_info["simplify sees it"] = seen


@pytest.mark.parametrize("name", ["eta = 1 is DDPM", "eta = 1 is the strided posterior"])
def test_simplify_is_no_decision(name):
    """A record: SymPy leaves true identities standing. If a new release sees them, strike them off."""
    assert not simplified(*CLAIMS[name])[1]


def timed(name: str, known: str) -> float:
    """The fastest of forty decisions."""
    one, times = stated(*CLAIMS[name]), []
    for _ in range(40):
        KNOWN[known](name)
        began = perf_counter()
        decide(one)
        times.append(perf_counter() - began)
    return min(times)


def main() -> None:
    """Print the table."""
    ratios: dict[str, list[float]] = {known: [] for known in KNOWN}
    for name, sides in CLAIMS.items():
        seconds, seen = simplified(*sides)
        line = f"{name:36} simplify {seconds * 1e3:4.0f} ms{'' if seen else ', wrong':8}"
        for known, found in ratios.items():
            fastest = timed(name, known)
            found.append(seconds / fastest)
            line += f"{known} {fastest * 1e3:.3f} ms, {found[-1]:5.0f} times   "
        print(line)
    for known, found in ratios.items():
        print(f"{known}: smallest {min(found):.0f}, median {sorted(found)[len(found) // 2]:.0f}")


if __name__ == "__main__":
    main()
