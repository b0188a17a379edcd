"""The order in which a solver converges, against the one it claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ...observe.response import DOUBLE, Response
from ...verdict import Finding, Status
from .case import SolverCase
from .convergence import MORE, NEAR, STEPS, Slope, global_error, local_error, measured
from .kind import stages

LEAST = 1.0 - NEAR
"""A method of no claimed order has to converge at this order at least."""
UNEVEN = 0.5
"""On uneven steps the order may be measured lower by this much: a wrong length of step costs a whole order."""
STARTED = 2.0 - NEAR
"""And at this one a method whose first steps are of the first order, and all others of a higher one."""


def order(case: SolverCase) -> Iterator[Finding]:
    """Does the law that it ends in converge as it claims, and do its steps?"""
    if case.response.hidden:
        yield Finding("order", Status.NOT_APPLICABLE, "the noise cannot be reached, and without it the law is not known exactly.")
        return
    if not case.grids:
        asked = case.contract.order is not None or (case.contract.family is not None and case.solver.order is not None)
        message = f"the sampler cannot be asked for ever finer steps{case.why_not}"
        status = Status.INCONCLUSIVE if asked else Status.NOT_APPLICABLE
        yield Finding("order", status, f"{message}{'; an order is claimed, and stays unmeasured' if asked else ''}.")
        return
    grids = case.grids
    finding = _judged(case, *_slopes(grids))
    for steps, in_doubt in ((MORE, (Status.FAIL, Status.INCONCLUSIVE)), (2 * MORE, (Status.INCONCLUSIVE,))):
        if finding.status in in_doubt and all(response.affine for response in grids):
            grids = [*grids, case.on(steps)]
            finding = _judged(case, *_slopes(grids))
    if finding.status is Status.FAIL and max(response.unit for response in grids) > DOUBLE:
        message = f"in less than double precision rounding hides what finer steps would show: {finding.message}"
        finding = replace(finding, status=Status.INCONCLUSIVE, message=message)
    yield finding
    if finding.status in (Status.PASS, Status.NOTE) and (case.solver.order or 1) > 1:
        yield from _on_uneven_steps(case)


def _on_uneven_steps(case: SolverCase) -> Iterator[Finding]:
    r"""A method of higher order has to know how long its steps are: on steps of changing length the order stays.

    That of single steps may fall in a method that is right: one that asks at predicted states, before it corrects them, is seen
    with an offset of :math:`h_k^{p+1}`. With the ratio of two steps upside down, the errors :math:`h_{k-1}^2 - h_k^2` of a two-step
    method are those of such an offset, and the whole converges as if nothing were wrong. So that is a note, but where the target is
    known to correct nothing; and of a method that is known by its weights nothing is said.
    """
    if not case.uneven:
        return
    (even, even_single), (uneven, uneven_single) = _slopes(case.grids), _slopes(case.uneven)
    known = case.seen is not None and case.seen.slip is None  # by its weights, ratios and all
    if _slower(even, uneven):
        message = (
            f"on steps that are in turn short and twice as long it converges with order {uneven.order:.2f} (errors "
            f"{_brief(uneven)}), and with {even.order:.2f} on even ones: it does not take the lengths of its steps into account "
            "as it should."
        )
        yield Finding("order", Status.FAIL, message, uneven.order, even.order, UNEVEN, details=_details(case, uneven))
    elif case.target.corrects is True or even_single is None or uneven_single is None or known:
        return
    elif _slower(even_single, uneven_single):
        unknown = case.target.corrects is None
        message = (
            f"on steps that are in turn short and twice as long the errors of single steps fall with the power "
            f"{uneven_single.order:.2f}, and with {even_single.order:.2f} on even ones"
        )
        message += (
            ". So they do where states are predicted first and corrected later; if these are not, look at the ratio of its steps."
            if unknown
            else ": it does not take the ratio of its steps into account as it should."
        )
        status = Status.NOTE if unknown else Status.FAIL
        yield Finding(
            "order", status, message, uneven_single.order, even_single.order, UNEVEN, details=_details(case, uneven_single)
        )


def _slower(even: Slope, uneven: Slope) -> bool:
    return not (even.exact or uneven.exact or even.order - uneven.order <= UNEVEN)


def _details(case: SolverCase, one: Slope) -> dict[str, Any]:
    return {"steps": list(one.steps), "errors": list(one.errors), "claimed": case.solver.order, "measured": one.order}


def _slopes(grids: list[Response]) -> tuple[Slope, Slope | None]:
    """How the error of the whole falls, and that of single steps where every query is a step that adds no noise."""
    asked = grids[0].queries - STEPS[0]  # once more at the last level, where that is no step's start
    one_query = asked in (0, 1) and not stages(grids[0]) and not grids[0].draws.any()
    return measured(grids, global_error), measured(grids, local_error) if one_query else None


def _judged(case: SolverCase, whole: Slope, single: Slope | None) -> Finding:
    claimed = case.solver.order
    details = _details(case, whole)
    if single is not None:
        details["local"] = {"errors": list(single.errors), "measured": single.order}

    def finding(status: Status, message: str) -> Finding:
        return Finding("order", status, message, whole.order, claimed, NEAR, details=details)

    kind = "weak order" if case.solver.stochastic else "order"
    if whole.exact:
        return finding(Status.PASS, "it is exact on Gaussian data: what is left is rounding.")
    if whole.order != whole.order:
        return finding(
            Status.FAIL, f"it does not converge: on {whole.steps[0]} to {whole.steps[-1]} steps the errors are {_brief(whole)}."
        )
    words = f"{kind} {whole.order:.2f} from {whole.steps[0]} to {whole.steps[-1]} steps (errors {_brief(whole)})"
    if single is not None and single.order == single.order:
        words += f", and single steps fall as their {single.order:.2f}th power"
    if whole.rises and whole.order < (LEAST if claimed is None else claimed - NEAR):
        return finding(Status.INCONCLUSIVE, f"its errors fall ever faster, and its order has not settled: {words}.")
    if claimed is None:
        status = Status.PASS if whole.order >= LEAST else Status.FAIL
        return finding(
            status,
            f"it converges with {words}."
            if status is Status.PASS
            else f"it does not converge as a first-order method does: {words}.",
        )
    if abs(whole.order - claimed) <= NEAR:
        return finding(Status.PASS, f"it converges as claimed, with {words}.")
    if whole.order > claimed:
        return finding(Status.NOTE, f"it converges faster than the {kind} {claimed} that it claims: {words}.")
    if single is not None and single.nearest == claimed + 1 and whole.order >= STARTED:
        return finding(
            Status.NOTE,
            f"steps are of the claimed order {claimed}, but the whole is not: {words}. A few steps at the ends, at the start for "
            "want of earlier predictions, are of lower order.",
        )
    return finding(Status.FAIL, f"{kind} {claimed} is claimed; it converges with {words}.")


def _brief(one: Slope) -> str:
    return ", ".join(f"{error:.1e}" for error in one.errors)
