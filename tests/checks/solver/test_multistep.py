"""Methods that remember predictions are known by their weights, and a mistake in one is named."""

from dataclasses import replace
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from solvers import MULTISTEP, RIGHT, Solver, dpm_2m

import verifydiff as vd
from verifydiff.observe.resolve import resolve
from verifydiff.slips import MULTISTEP_SLIPS
from verifydiff.verdict import Status

STEPS = 12
"""Enough for a method of third order to be at it in half of them, with lower orders at both ends."""


def judged(solver, **options):
    return vd.check(solver.target(STEPS) if isinstance(solver, Solver) else solver, converge=False, **options)


def needs(name):
    """A target's library, found and not imported: some of what k-diffusion imports may be absent."""
    library = name.partition(":")[0]
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")


def found(report):
    return [finding for finding in report.findings if finding.check == "coefficients"]


SOLVERS = RIGHT | MULTISTEP
KNOWN = {
    "dpm-2m": "DPM-Solver++(2M)",
    "dpm-2m-heun": "the multistep solver with the weight of its integral",
    "deis-2": "DEIS with a line in rho (rhoAB, order 2)",
    "sde-dpm-2m": "SDE-DPM-Solver++(2M)",
    "dpm-2m-noise": "multistep DPM-Solver-2",
    "dpm-2m-noise-heun": "multistep DPM-Solver-2 with the weight of its integral, which is DEIS in log rho",
    "ab-3": "DEIS with a parabola in rho (rhoAB, order 3)",
    "lms-4": "DEIS with a cubic in rho (rhoAB, order 4)",
    "ipndm-2": "iPNDM of order 2: DDIM along 3/2 and -1/2 of two predictions",
    "ipndm-3": "iPNDM of order 3: DDIM along 23/12, -16/12 and 5/12 of three predictions",
    "ipndm-4": "iPNDM of order 4: DDIM along 55/24, -59/24, 37/24 and -9/24 of four predictions",
    "dpm-3m": "DPM-Solver++(3M)",
    "exponential-adams-4": "DPM-Solver++(4M)",
    "exponential-adams-4-noise": "multistep DPM-Solver-4, which is DEIS of order 4 in log rho",
    "flow-adams-2": "Adams-Bashforth of order 2 along the velocity",
    "flow-adams-3": "Adams-Bashforth of order 3 along the velocity",
    "flow-adams-4": "Adams-Bashforth of order 4 along the velocity",
    "unipc-1": "UniPC of order 1 (bh2)",
    "unipc-2": "UniPC of order 2 (bh2)",
    "unipc-2-bh1": "UniPC of order 2 (bh1)",
    "unipc-2-noise": "UniPC of order 2 by the noise (bh2)",
    "unipc-3": "UniPC of order 3 (bh2)",
    "unipc-3-noise-bh1": "UniPC of order 3 by the noise (bh1)",
    "dpm-3m-noise": "multistep DPM-Solver-3, which is DEIS of order 3 in log rho",
    "sde-dpm-3m": "SDE-DPM-Solver++(3M)",
    "sde-dpm-2m-heun": "SDE-DPM-Solver++(2M) with the weight of its integral",
    "sde-dpm-2m-noise": "SDE-DPM-Solver-2M",
    "sde-dpm-2m-noise-heun": "SDE-DPM-Solver-2M with the weight of its integral",
}


@pytest.mark.parametrize(("name", "title"), KNOWN.items())
def test_it_is_called_by_its_name(name, title):
    report = judged(SOLVERS[name])
    assert report.identified_as.startswith(f"{title}, ")
    (finding,) = found(report)
    assert finding.status is Status.PASS
    assert finding.measured < 1e-12
    assert [finding.check for finding in report.findings if finding.status is Status.FAIL] == []
    assert report.diagnosis == ()


@pytest.mark.parametrize("name", [name for name in RIGHT if name not in KNOWN])
def test_another_method_is_called_none_of_them(name):
    report = judged(RIGHT[name])
    assert found(report) == []
    assert report.diagnosis == ()


PLANTED = {
    "dpm-2m": {
        "ratio-upside-down": {"ratio": lambda r: 1 / r},
        "equal-steps-assumed": {"ratio": lambda r: 1.0},
        "ratio-rooted": {"ratio": np.sqrt},
        "difference-reversed": {"sign": -1.0},
        "difference-doubled": {"half": 1.0},
        "difference-halved": {"half": 0.25},
    },
    "dpm-2m-heun": {
        "ratio-upside-down": {"ratio": lambda r: 1 / r},
        "equal-steps-assumed": {"ratio": lambda r: 1.0},
        "difference-reversed": {"sign": -1.0},
        "difference-doubled": {"sign": 2.0},
    },
    "sde-dpm-2m": {
        "ratio-upside-down": {"ratio": lambda r: 1 / r},
        "equal-steps-assumed": {"ratio": lambda r: 1.0},
        "difference-reversed": {"ratio": lambda r: -r},
        "difference-halved": {"ratio": lambda r: 2 * r},
    },
    "dpm-2m-noise": {
        "ratio-upside-down": {"ratio": lambda r: 1 / r},
        "ratio-rooted": {"ratio": np.sqrt},
        "difference-reversed": {"sign": -1.0},
        "difference-doubled": {"half": 1.0},
        "difference-halved": {"half": 0.25},
    },
    "dpm-2m-noise-heun": {
        "ratio-upside-down": {"ratio": lambda r: 1 / r},
        "equal-steps-assumed": {"ratio": lambda r: 1.0},
        "difference-reversed": {"sign": -1.0},
    },
    "sde-dpm-2m-noise": {
        "ratio-upside-down": {"ratio": lambda r: 1 / r},
        "equal-steps-assumed": {"ratio": lambda r: 1.0},
        "difference-doubled": {"half": 1.0},
    },
    "sde-dpm-2m-noise-heun": {"difference-reversed": {"sign": -1.0}, "difference-halved": {"half": 0.25}},
}
THIRD = {
    "ratio-upside-down": {"ratios": lambda r, older: (1 / r, 1 / older)},
    "equal-steps-assumed": {"ratios": lambda r, older: (1.0, 1.0)},
    "second-difference-halved": {"bend": 0.5},
    "second-difference-doubled": {"bend": 2.0},
    "second-difference-reversed": {"bend": -1.0},
    "slope-of-a-line": {"straight": True},
    "older-ratio-over-the-step-before": {"ratios": lambda r, older: (r, older / r)},
    "difference-doubled": {"times": 2.0},
    "difference-halved": {"times": 0.5},
    "difference-reversed": {"times": -1.0},
    "ratio-rooted": {"ratios": lambda r, older: (np.sqrt(r), np.sqrt(older))},
    "predictions-in-reverse": {"read": lambda kept: kept[::-1]},
    "remembered-in-reverse": {"read": lambda kept: [kept[0], *kept[:0:-1]]},
}
PLANTED |= {"dpm-3m": THIRD, "dpm-3m-noise": THIRD, "sde-dpm-3m": THIRD}
PLANTED["dpm-2m-noise"]["predictions-in-reverse"] = {"swapped": True}
PLANTED["dpm-2m"]["remembered-one-too-old"] = {"stale": 1}
PLANTED["deis-2"] = {"remembered-one-too-old": {"stale": 1}, "predictions-in-reverse": {"weights": lambda w: w[::-1]}}
PLANTED["lms-4"] = {"predictions-in-reverse": {"weights": lambda w: w[::-1]}}
PLANTED["ab-3"] = {
    "predictions-in-reverse": {"weights": lambda w: w[::-1]},
    "remembered-in-reverse": {"weights": lambda w: [w[0], w[2], w[1]]},
}
PLANTED["ipndm-4"] = {
    "predictions-in-reverse": {"weights": lambda w: w[::-1]},
    "remembered-in-reverse": {"weights": lambda w: [w[0], *w[:0:-1]]},
}
WHERE = {
    "ratio-upside-down": {"where": lambda r: 1 / r},
    "equal-steps-assumed": {"where": lambda r: -1.0},
    "ratio-rooted": {"where": lambda r: -np.sqrt(-r)},
}
PLANTED["flow-adams-3"] = {
    "predictions-in-reverse": {"weights": lambda w: w[::-1]},
    "remembered-in-reverse": {"weights": lambda w: [w[0], *w[:0:-1]]},
}
PLANTED["exponential-adams-4"] = {
    "predictions-in-reverse": {"read": lambda kept: kept[::-1]},
    "remembered-in-reverse": {"read": lambda kept: [kept[0], *kept[:0:-1]]},
}
PLANTED |= {"unipc-2": WHERE, "unipc-2-bh1": WHERE, "unipc-2-noise": WHERE}
CASES = [(name, slip, arguments) for name, slips in PLANTED.items() for slip, arguments in slips.items()]


@pytest.mark.parametrize(("name", "slip", "arguments"), CASES, ids=[f"{name} {slip}" for name, slip, _ in CASES])
def test_a_mistake_in_it_is_named_first_and_fails(name, slip, arguments):
    report = judged(SOLVERS[name].mutant(**arguments))
    assert report.diagnosis[0].slip == slip
    assert report.diagnosis[0].family == KNOWN[name]
    (finding,) = found(report)
    assert finding.status is Status.FAIL
    assert report.status is Status.FAIL


def test_every_mistake_of_the_catalogue_is_planted():
    assert {slip for _, slip, _ in CASES} == {slip.id for slip in MULTISTEP_SLIPS}


@pytest.mark.skipif(find_spec("k_diffusion") is None, reason="k-diffusion is not installed")
@pytest.mark.parametrize("sigmas", ["exponential", "polyexponential", "vp"])
def test_another_library_s_is_right_where_rounding_makes_even_steps_uneven(sigmas):
    """Near the data rounding moves the ratio of even steps off 1, on either side."""
    report = judged(resolve("k_diffusion:sample_dpmpp_2m_sde", config={"sigmas": sigmas}))
    assert [finding.status for finding in found(report)] == [Status.PASS]
    assert report.diagnosis == ()


@pytest.mark.parametrize("factor", [0.9, 1.1, 1 + 1e-6])
def test_what_no_mistake_of_the_catalogue_explains_is_not_explained(factor):
    report = judged(RIGHT["dpm-2m"].mutant(half=factor / 2))
    assert found(report) == []
    assert report.diagnosis == ()


def test_where_all_steps_are_even_the_right_method_is_named_and_no_mistake():
    """There the ratio is 1, and its mistakes change nothing."""
    even = RIGHT["dpm-2m"].mutant(ratio=lambda r: 1 / r)
    report = judged(even.on(np.append(np.geomspace(20.0, 0.05, 9), 0.0)))
    assert [finding.status for finding in found(report)] == [Status.PASS]
    assert report.diagnosis == ()


def test_one_that_forgets_now_and_then_is_none_of_them():
    """First-order steps belong to the ends; in between they are a mistake."""
    forgetful = RIGHT["dpm-2m"].mutant(history=lambda k, of: k % 4)
    assert found(judged(forgetful.target(24))) == []


def test_one_wrong_step_is_enough_to_be_none_of_them():
    def one_step_off(denoise, x, rho, normal):
        asked = []

        def off(x, level):
            asked.append(level)
            return denoise(x, level) * (1 + 1e-4 * (len(asked) == 5))

        return dpm_2m(off, x, rho, normal)

    assert found(judged(replace(RIGHT["dpm-2m"], loop=partial(one_step_off)))) == []


LAST = {"final_sigmas_type": "sigma_min"}
RELEASED = [
    ("diffusers:CosineDPMSolverMultistepScheduler", {}, "SDE-DPM-Solver++(2M)"),
    ("diffusers:DEISMultistepScheduler", {}, KNOWN["dpm-2m-noise-heun"]),
    ("diffusers:DEISMultistepScheduler", {"solver_order": 3}, KNOWN["dpm-3m-noise"]),
    ("diffusers:EDMDPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}, "SDE-DPM-Solver++(2M)"),
    ("diffusers:LMSDiscreteScheduler", {}, KNOWN["lms-4"]),
    ("diffusers:UniPCMultistepScheduler", {}, "UniPC of order 2 (bh2)"),
    ("diffusers:UniPCMultistepScheduler", {"solver_order": 3, "use_karras_sigmas": True}, "UniPC of order 3 (bh2)"),
    ("diffusers:UniPCMultistepScheduler", {"solver_type": "bh1", **LAST}, "UniPC of order 2 (bh1)"),
    ("diffusers:UniPCMultistepScheduler", {"predict_x0": False, **LAST}, "UniPC of order 2 by the noise (bh2)"),
    ("diffusers:UniPCMultistepScheduler", {"solver_order": 1, "predict_x0": False, **LAST}, "UniPC of order 1 by the noise (bh2)"),
    ("diffusers:UniPCMultistepScheduler", {"solver_order": 3, "disable_corrector": list(range(20))}, "DPM-Solver++(3M)"),
    ("k_diffusion:sample_dpmpp_2m_sde", {"solver_type": "heun"}, KNOWN["sde-dpm-2m-heun"]),
    ("k_diffusion:sample_lms", {"order": 3}, KNOWN["ab-3"]),
    ("azula:xEABSampler", {"order": 3}, "DPM-Solver++(3M)"),
    ("azula:zABSampler", {"order": 4}, KNOWN["lms-4"]),
    ("azula:vABSampler", {"order": 2}, KNOWN["flow-adams-2"]),
    ("azula:vABSampler", {"order": 3}, KNOWN["flow-adams-3"]),
    ("azula:xEABSampler", {"order": 4}, KNOWN["exponential-adams-4"]),
    ("azula:zEABSampler", {"order": 4}, KNOWN["exponential-adams-4-noise"]),
    ("azula:zEABSampler", {"order": 3}, KNOWN["dpm-3m-noise"]),
]


@pytest.mark.parametrize(("name", "options", "title"), RELEASED, ids=[f"{name} {options}" for name, options, _ in RELEASED])
def test_what_is_released_is_called_by_its_name(name, options, title):
    needs(name)
    report = judged(resolve(name, steps=20, config=options))
    assert report.identified_as.startswith(f"{title}, ")
    assert [finding.status for finding in found(report)] == [Status.PASS]
    assert report.diagnosis == ()


HALVED = [
    ("diffusers:DPMSolverMultistepScheduler", {"solver_order": 3}, "DPM-Solver++(3M)"),
    ("diffusers:DPMSolverMultistepScheduler", {"solver_order": 3, "algorithm_type": "dpmsolver", **LAST}, KNOWN["dpm-3m-noise"]),
    ("diffusers:EDMDPMSolverMultistepScheduler", {"solver_order": 3}, "DPM-Solver++(3M)"),
    ("k_diffusion:sample_dpmpp_3m_sde", {}, "SDE-DPM-Solver++(3M)"),
]


@pytest.mark.parametrize(("name", "options", "family"), HALVED, ids=[f"{name} {options}" for name, options, _ in HALVED])
def test_released_solvers_of_third_order_lose_half_of_their_second_difference(name, options, family):
    """A second route says so, too: tests/second_route/parabolas.py."""
    needs(name)
    report = judged(resolve(name, steps=20, config=options))
    assert [(one.slip, one.family) for one in report.diagnosis] == [("second-difference-halved", family)]
    assert [finding.status for finding in found(report)] == [Status.FAIL]


OTHERS = [
    *(("diffusers:SASolverScheduler", {"predictor_order": p, "corrector_order": c}) for p, c in ((1, 1), (2, 0), (2, 2), (3, 4))),
    ("azula:REABSampler", {"order": 3}),
    ("diffusers:DPMSolverSinglestepScheduler", {"solver_order": 3}),
    ("diffusers:DPMSolverMultistepScheduler", {"solver_order": 3, "algorithm_type": "sde-dpmsolver++"}),
    ("k_diffusion:sample_dpm_2", {}),
    ("k_diffusion:sample_heun", {}),
]


SPACED = {
    "diffusers": [{}, {"use_exponential_sigmas": True}, {"use_karras_sigmas": True}],
    "k_diffusion": [{"sigmas": "exponential"}, {"sigmas": "vp"}],
    "azula": [{}],
}
UNKNOWN = [(name, options | spacing) for name, options in OTHERS for spacing in SPACED[name.partition(":")[0]]]
UNKNOWN += [("diffusers:PNDMScheduler", {"skip_prk_steps": True})]


@pytest.mark.parametrize(("name", "options"), UNKNOWN, ids=[f"{name} {options}" for name, options in UNKNOWN])
def test_what_is_not_known_is_not_accused_of_a_mistake_in_what_is(name, options):
    """On even steps above all, where many methods have the same weights."""
    needs(name)
    report = judged(resolve(name, steps=13, config=options))
    assert found(report) == []
    assert report.diagnosis == ()


@pytest.mark.parametrize(
    ("options", "title"),
    [
        ({}, "DPM-Solver++(2M)"),
        ({"solver_type": "heun"}, "the multistep solver with the weight of its integral"),
        ({"algorithm_type": "sde-dpmsolver++"}, "SDE-DPM-Solver++(2M)"),
        ({"use_karras_sigmas": True}, "DPM-Solver++(2M)"),
        ({"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"}, "SDE-DPM-Solver++(2M) with the weight of its integral"),
        ({"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"}, "multistep DPM-Solver-2"),
        ({"algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min"}, "SDE-DPM-Solver-2M"),
    ],
)
def test_the_released_ones_are_what_they_are_called(options, title):
    pytest.importorskip("diffusers")
    report = judged(resolve("diffusers:DPMSolverMultistepScheduler", steps=20, config=options))
    assert report.identified_as.startswith(f"{title}, ")
    assert [finding.status for finding in found(report)] == [Status.PASS]


@pytest.mark.parametrize("spacing", [{}, {"use_exponential_sigmas": True}])
@pytest.mark.parametrize("steps", [13, 20])
def test_a_released_method_is_right_where_its_weights_are_those_of_another(spacing, steps):
    """By the noise it predicts, on even steps in lambda, DPM-Solver(2M) has the weights 3/2 and -1/2."""
    pytest.importorskip("diffusers")
    options = {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min", "lower_order_final": False, **spacing}
    report = judged(resolve("diffusers:DPMSolverMultistepScheduler", steps=steps, config=options))
    assert [finding.status for finding in found(report)] == [Status.PASS]
    assert report.diagnosis == ()


@pytest.mark.parametrize("name", ["deis-2", "dpm-2m-noise"])
def test_equal_steps_assumed_along_the_noise_are_a_method_of_their_own(name):
    """3/2 and -1/2 whatever the steps are, as in iPNDM."""
    slips = {"deis-2": {"weights": lambda w: [1.5 * sum(w), -0.5 * sum(w)]}, "dpm-2m-noise": {"ratio": lambda r: 1.0}}
    report = judged(SOLVERS[name].mutant(**slips[name]))
    assert report.identified_as.startswith(KNOWN["ipndm-2"])
    assert [finding.status for finding in found(report)] == [Status.PASS]
    assert report.diagnosis == ()


@pytest.mark.parametrize("name", ["unipc-2", "unipc-2-noise"])
def test_of_a_corrected_method_that_is_known_nobody_is_sent_to_its_ratios(name):
    orders = [finding.status for finding in vd.check(MULTISTEP[name].target()).findings if finding.check == "order"]
    assert orders == [Status.PASS]
