"""The adapter of k-diffusion: every sampler lands in the frames that it is told, and a mistake planted in the library is seen."""

import importlib.util
import inspect
import subprocess
import sys

import numpy as np
import pytest
from landing import landing
from scipy.integrate import quad

import verifydiff as vd
from verifydiff.observe import k_diffusion
from verifydiff.observe.resolve import resolve
from verifydiff.observe.response import respond
from verifydiff.verdict import MisuseError, Status

pytest.importorskip("torch", reason="judging k-diffusion needs torch")
if importlib.util.find_spec("k_diffusion") is None:
    pytest.skip("judging k-diffusion needs k-diffusion", allow_module_level=True)

EXACT = 1e-12
SHIPPED = 2e-5
"""Single precision, over twenty steps from a sigma of 80."""


def target(name, **options):
    return resolve(f"k_diffusion:{name}", **options)


SAMPLERS = k_diffusion.samplers()
LISTED = list(k_diffusion.everything())
JUDGED = [listed for listed in LISTED if listed.reason is None]


@pytest.mark.parametrize("listed", JUDGED, ids=str)
def test_constant_predictions_lead_into_the_frames_that_are_told(listed):
    response = respond(target(listed.name, config=listed.config))
    data, noise = landing(response)
    assert response.affine
    assert not response.hidden
    assert data.max() < EXACT
    assert noise.max() < EXACT


def test_every_sampler_of_the_library_is_listed_and_what_cannot_be_judged_says_why():
    assert {listed.name for listed in LISTED} == set(SAMPLERS) >= {"sample_euler", "sample_dpmpp_3m_sde", "sample_lms"}
    assert {listed.name for listed in JUDGED} == set(SAMPLERS)
    assert [listed.name for listed in LISTED if listed.reason] == ["sample_dpm_adaptive"]


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "sample_dpm_adaptive"])
def test_as_shipped_it_works_in_single_precision_and_does_the_same(name):
    wide = target(name)
    shipped = respond(wide.as_shipped)
    assert shipped.unit == 2.0**-24
    np.testing.assert_allclose(shipped.answers, respond(wide).answers, atol=1e-3)
    data, noise = landing(shipped)
    assert data.max() < SHIPPED
    assert noise.max() < SHIPPED


@pytest.mark.parametrize("name", SAMPLERS)
def test_on_the_logarithmic_grid_the_last_state_lies_at_one_level_whatever_the_number_of_steps(name):
    low, high = k_diffusion.LOG_GRID
    config = k_diffusion.STEADY if name == "sample_dpm_adaptive" else {}
    for n in (4, 9):
        response = respond(target(name, config=config).on_log_grid(n))
        sigmas = np.array([frame.noise_over_signal for frame in response.frames[:-1]])
        assert sigmas[[0, -1]] == pytest.approx([high, low])
        even = np.geomspace(high, low, n)
        assert np.isclose(sigmas[:, None], even).any(axis=0).all()
        assert max(weights.max() for weights in landing(response)) < EXACT


# -- mistakes, planted and real -------------------------------------------------------------------------------------------


def a_variance_for_a_deviation(sigma_from, sigma_to, eta=1.0):
    up = eta * sigma_to**2 * (sigma_from**2 - sigma_to**2) / sigma_from**2
    return (sigma_to**2 - up**2).clamp(min=0) ** 0.5, up**0.5


def no_noise_taken_off(sigma_from, sigma_to, eta=1.0):
    return sigma_to, eta * (sigma_to**2 * (sigma_from**2 - sigma_to**2) / sigma_from**2) ** 0.5


@pytest.mark.parametrize("slip", [a_variance_for_a_deviation, no_noise_taken_off])
@pytest.mark.parametrize(
    "name", ["sample_euler_ancestral", "sample_dpm_2_ancestral", "sample_dpmpp_2s_ancestral", "sample_dpmpp_sde"]
)
def test_a_slip_in_the_ancestral_step_lands_elsewhere(name, slip, monkeypatch):
    monkeypatch.setattr(k_diffusion.sampling(), "get_ancestral_step", slip)
    response = respond(target(name, config={"sigmas": "exponential"}))
    assert landing(response)[1].max() > 1e-3


@pytest.mark.parametrize("name", ["sample_euler", "sample_heun", "sample_lms"])
def test_a_slip_in_the_derivative_lands_elsewhere(name, monkeypatch):
    monkeypatch.setattr(k_diffusion.sampling(), "to_d", lambda x, sigma, denoised: (x - denoised) / (1 + sigma**2) ** 0.5)
    _, noise = landing(respond(target(name)))
    assert noise.max() > 1e-3


def test_noise_of_its_own_for_each_part_of_a_step_lands_elsewhere(monkeypatch):
    """The two queries of a step of dpmpp_sde need one path: with the ends of the step drawn anew the law is another."""

    class Apart:
        def __init__(self, normal):
            self.normal = normal

        def increment(self, t, s):
            return self.normal()

    right = respond(target("sample_dpmpp_sde"))
    monkeypatch.setattr(k_diffusion, "BrownianPath", Apart)
    apart = respond(target("sample_dpmpp_sde"))
    covariance = [response.draws[1:3] @ response.draws[1:3].T for response in (right, apart)]
    assert covariance[0][0, 1] > 0.1  # of the state within the first step and the one at its end
    assert covariance[1][0, 1] == 0


def quadratic_weights(lambdas):
    r"""Of three predictions in a step of :math:`x' = -x + D`, by integrating the polynomial through them."""
    nodes, (start, end) = lambdas[:3], lambdas[2:]

    def basis(j, u):
        return np.prod([(u - nodes[i]) / (nodes[j] - nodes[i]) for i in range(3) if i != j])

    return [quad(lambda u, j=j: np.exp(u - end) * basis(j, u), start, end, epsabs=1e-14)[0] for j in range(3)]


def test_the_quadratic_term_of_3m_has_half_its_weight():
    """A mistake in the released k-diffusion: the second divided difference stands where the second derivative should."""
    response = respond(
        target("sample_dpmpp_3m_sde", config={"sigmas": "exponential", "eta": 0.0, "sigma_min": 0.1, "sigma_max": 10.0})
    )
    k = 8
    sigmas = np.array([frame.sigma for frame in response.run.meant])
    lambdas = -np.log(sigmas[k - 2 : k + 2])
    size = np.hypot(1, sigmas)  # back to states that hold the data once
    start, answers = response.start[:-1] * size, response.answers[:-1] * size[:, None]
    weights = answers[k + 1] - start[k + 1] / start[k] * answers[k]
    off = weights[k - 2 : k + 1] - quadratic_weights(lambdas)
    h = lambdas[3] - lambdas[2]
    missing = 0.5 - (np.expm1(-h) / h + 1) / h  # -phi_3, and f2 = (D_0 - 2 D_1 + D_2) / 2 on even steps
    np.testing.assert_allclose(off, -missing * np.array([0.5, -1.0, 0.5]), atol=1e-12)


# -- the whole check ------------------------------------------------------------------------------------------------------


def failures(report):
    return [finding.check for finding in report.findings if finding.status in (Status.FAIL, Status.INCONCLUSIVE)]


RIGHT = [
    ("sample_euler", {}),
    ("sample_euler_ancestral", {"eta": 0.5}),
    ("sample_heun", {"s_churn": 2.0}),
    ("sample_heun", {"s_churn": 80.0}),
    ("sample_euler", {"s_churn": 200.0}),
    ("sample_dpm_2_ancestral", {"sigmas": "vp"}),
    ("sample_lms", {"order": 3}),
    ("sample_dpm_fast", {"eta": 1.0}),
    ("sample_dpm_adaptive", {"icoeff": 0.0, "h_init": 0.5}),
    ("sample_dpmpp_2m_sde", {"solver_type": "heun"}),
    ("sample_dpmpp_sde", {"r": 0.3}),
]


@pytest.mark.parametrize(("name", "config"), RIGHT, ids=lambda value: str(value))
def test_what_is_right_passes_every_check(name, config):
    assert failures(vd.check(target(name, config=config))) == []


def test_the_order_of_3m_is_not_the_one_it_claims():
    report = vd.check(target("sample_dpmpp_3m_sde", eta=0.0))
    assert failures(report) == ["coefficients", "order"]
    assert [one.slip for one in report.diagnosis] == ["second-difference-halved"]


def test_with_noise_the_weight_of_3m_is_wrong_all_the_same():
    """Its weak order is that of the noise, so that no order tells of it."""
    report = vd.check(target("sample_dpmpp_3m_sde"))
    assert failures(report) == ["coefficients"]
    assert [one.slip for one in report.diagnosis] == ["second-difference-halved"]


def test_churned_noise_of_the_wrong_size_is_found_in_the_first_query_and_after(monkeypatch):
    library = k_diffusion.sampling()
    source = inspect.getsource(library.sample_heun)
    assert "(sigma_hat ** 2 - sigmas[i] ** 2) ** 0.5" in source
    names = dict(vars(library))
    exec(source.replace("(sigma_hat ** 2 - sigmas[i] ** 2) ** 0.5", "(sigma_hat - sigmas[i])"), names)
    monkeypatch.setattr(library, "sample_heun", names["sample_heun"])
    found = failures(vd.check(target("sample_heun", config={"s_churn": 2.0})))
    assert {"start", "pairing"} <= set(found)


# -- what is asked of it in vain ------------------------------------------------------------------------------------------

REFUSED = [
    ("sample_nothing", {}, r"k_diffusion has no sampler 'sample_nothing': give one of sample_euler, "),
    ("log_likelihood", {}, "k_diffusion has no sampler 'log_likelihood'"),
    ("sample_euler", {"config": {"eta": 1.0}}, "sample_euler has no option 'eta'; it has s_churn"),
    ("sample_euler", {"eta": 1.0}, "sample_euler has no option 'eta'"),
    ("sample_euler", {"config": {"s_churn": "much"}}, "the option s_churn must be a number, got 'much'"),
    ("sample_lms", {"config": {"order": 2.5}}, "the option order must be a whole number from 1 on, got '2.5'"),
    ("sample_lms", {"config": {"order": 0}}, "the option order must be a whole number from 1 on"),
    ("sample_dpmpp_2m_sde", {"config": {"solver_type": 3}}, "the option solver_type must be a word"),
    (
        "sample_dpmpp_2m_sde",
        {"config": {"solver_type": "euler"}},
        "k_diffusion refuses sample_dpmpp_2m_sde with these options: solver_type",
    ),
    ("sample_euler", {"config": {"sigmas": "linear"}}, "k_diffusion makes no sigmas 'linear'; it makes karras, exponential"),
    ("sample_euler", {"config": {"sigma_min": 90.0}}, "sigmas must be finite and fall to 0"),
    ("sample_euler", {"config": {"sigma_min": -1.0}}, "sigmas must be finite|no sigmas of these options"),
    ("sample_euler", {"config": {"rho": 0}}, "k_diffusion makes no sigmas of these options"),
    ("sample_euler", {"config": {"sigmas": "vp", "sigma_max": 80.0}}, "has no option 'sigma_max'"),
    ("sample_dpm_fast", {"config": {"sigma_min": 0.0}}, "sigma_min and sigma_max must be finite, positive and rising"),
    ("sample_dpm_fast", {"config": {"sigmas": "karras"}}, "sample_dpm_fast has no option 'sigmas'"),
    ("sample_dpm_adaptive", {}, "sample_dpm_adaptive chooses its steps by the data, so it has no grid; with icoeff = 0"),
    ("sample_dpm_adaptive", {"steps": 20, "config": {"icoeff": 0.0}}, "sample_dpm_adaptive takes no number of steps; h_init"),
    ("sample_dpm_adaptive", {"config": {"icoeff": 0.0, "order": 4}}, "k_diffusion refuses sample_dpm_adaptive .* order should be"),
    ("sample_euler_ancestral", {"eta": -1.0}, "`eta` must be 0 or more, got -1"),
    ("sample_euler_ancestral", {"eta": 1.0, "config": {"eta": 0.5}}, "which one"),
    ("sample_euler", {"steps": 0}, "`steps` must be at least 1"),
    ("sample_euler", {"spacing": "trailing"}, "k_diffusion takes no spacing"),
    ("sample_euler", {"prediction": "epsilon"}, "the model of k_diffusion is a denoiser"),
]


@pytest.mark.parametrize(("name", "options", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_makes_no_sense_is_refused_in_one_line(name, options, message):
    with pytest.raises(MisuseError, match=message) as refused:
        target(name, **options)
    assert "\n" not in str(refused.value)


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "k_diffusion" else find(name, *rest))
    with pytest.raises(MisuseError, match="needs k-diffusion, which is not installed: pip install --no-deps k-diffusion"):
        k_diffusion._alone.__wrapped__()


def test_without_what_sampling_needs_it_says_what_is_missing(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "scipy" else find(name, *rest))
    with pytest.raises(MisuseError, match="the samplers of k_diffusion need scipy, which is not installed"):
        k_diffusion._alone.__wrapped__()


def test_the_import_leaves_no_module_of_it_and_no_stand_in_behind():
    code = """
import sys, torch, importlib.util, tqdm, PIL
before, path = set(sys.modules), list(sys.meta_path)
import verifydiff as vd
from verifydiff.observe import k_diffusion
k_diffusion.sampling()
absent = [name for name in ("torchdiffeq", "clip", "accelerate", "skimage") if importlib.util.find_spec(name) is None]
left = [name for name in sys.modules if name.partition(".")[0] in ("k_diffusion", *absent)]
assert not left, left
assert sys.modules["PIL"] is PIL
assert sys.meta_path == path
stand_ins = [name for name, module in sys.modules.items() if type(module).__name__ == "_Inert"]
assert not stand_ins, stand_ins
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_run_leaves_the_default_type_and_the_generator_as_they_were():
    import torch

    torch.manual_seed(7)
    expected = torch.rand(2)
    torch.manual_seed(7)
    respond(target("sample_euler_ancestral", steps=3))
    assert torch.get_default_dtype() == torch.float32
    assert torch.equal(torch.rand(2), expected)
