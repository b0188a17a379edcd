"""The adapter of azula: every sampler lands in the frames of every noise schedule, and a mistake planted in the library is seen."""

import math
from itertools import pairwise

import numpy as np
import pytest
from landing import landing

import verifydiff as vd
from verifydiff.observe import azula
from verifydiff.observe.resolve import resolve
from verifydiff.observe.response import respond
from verifydiff.verdict import MisuseError, Status

torch = pytest.importorskip("torch", reason="judging azula needs torch")
pytest.importorskip("azula", reason="judging azula needs azula")

EXACT = 1e-11
"""The exponential Adams-Bashforth weights of order 4 come from a linear system that loses some digits."""
NOT_EXACT = {
    "ItoSampler": "its noise is integrated exactly and its drift is not: the variance is right to first order only",
    "REABSampler": "what it takes to be a polynomial is not one for a prediction that stays the same",
}
LISTED = list(azula.everything())


def target(name, **options):
    return resolve(f"azula:{name}", **options)


@pytest.mark.parametrize("listed", [listed for listed in LISTED if listed.name not in NOT_EXACT], ids=str)
def test_constant_predictions_lead_into_the_frames_of_the_schedule(listed):
    response = respond(target(listed.name, config=listed.config))
    data, noise = landing(response)
    assert response.affine
    assert not response.hidden
    assert response.start[0] == pytest.approx(1, abs=1e-14)
    assert data.max() < EXACT
    assert noise.max() < EXACT


@pytest.mark.parametrize("name", NOT_EXACT)
@pytest.mark.parametrize("schedule", azula.schedules())
def test_a_sampler_that_is_not_exact_on_constants_lands_nearer_with_more_steps(name, schedule):
    on = target(name, config={"schedule": schedule}).on_log_grid
    off = [max(weights[-2] for weights in landing(respond(on(n)))) for n in (40, 160)]
    assert off[1] < off[0] / 3


def test_every_sampler_and_every_schedule_is_listed():
    assert {listed.name for listed in LISTED} == set(azula.samplers()) >= {"DDPMSampler", "PCSampler", "zEABSampler"}
    assert {listed.config.get("schedule") for listed in LISTED} - {None} == set(azula.schedules()) - {"VPSchedule"}


SCALES = {
    "VESchedule": lambda t: (1.0, math.exp((1 - t) * math.log(1e-3) + t * math.log(1e3))),
    "VPSchedule": lambda t: (1e-3 ** (t * t), math.sqrt(1 - 1e-3 ** (2 * t * t) + 1e-6)),
    "CosineSchedule": lambda t: (math.cos(t * math.acos(1e-3)), math.sqrt(1 - math.cos(t * math.acos(1e-3)) ** 2 + 1e-6)),
    "RectifiedSchedule": lambda t: (1 - t + 1e-3 * t, t + 1e-3 * (1 - t)),
}


@pytest.mark.parametrize("schedule", SCALES)
@pytest.mark.parametrize("time", [0.0, 0.3, 1.0])
def test_a_frame_holds_the_scales_that_the_schedule_documents(schedule, time):
    frame = target("EulerSampler", config={"schedule": schedule}).frame_at(time)
    assert (frame.alpha, frame.sigma) == pytest.approx(SCALES[schedule](time), rel=1e-12)


@pytest.mark.parametrize("name", azula.samplers())
@pytest.mark.parametrize("schedule", ["VPSchedule", "VESchedule"])
def test_on_the_logarithmic_grid_steps_are_even_and_the_last_query_is_at_their_end(name, schedule):
    low, high = azula.LOG_GRID
    response = respond(target(name, config={"schedule": schedule}).on_log_grid(6))
    levels = np.unique([round(math.log(frame.noise_over_signal), 9) for frame in response.frames[:-1]])
    np.testing.assert_allclose(levels, np.linspace(math.log(low), math.log(high), 6), atol=1e-8)
    assert response.frames[-2].noise_over_signal == pytest.approx(low)


@pytest.mark.parametrize("name", azula.samplers())
def test_as_shipped_it_works_in_single_precision_and_does_the_same(name):
    wide = target(name, config={"schedule": "RectifiedSchedule", "stop": 0.1, "start": 0.9})
    shipped = respond(wide.as_shipped)
    assert shipped.unit == 2.0**-24
    np.testing.assert_allclose(shipped.answers, respond(wide).answers, atol=1e-3)


# -- mistakes, planted and real -------------------------------------------------------------------------------------------


def with_the_time_it_came_from(step):
    return lambda self, x_t, t, s, **options: step(self, x_t, t, (s + t) / 2, **options)


@pytest.mark.parametrize("name", ["DDPMSampler", "DDIMSampler", "EulerSampler", "HeunSampler", "PCSampler"])
def test_a_step_to_another_time_lands_elsewhere(name, monkeypatch):
    cls = azula.samplers()[name]
    monkeypatch.setattr(cls, "step", with_the_time_it_came_from(cls.step))
    data, _ = landing(respond(target(name)))
    assert data.max() > 1e-3


@pytest.mark.parametrize("name", ["zABSampler", "vABSampler", "zEABSampler", "xEABSampler"])
def test_a_slip_in_the_weights_of_the_history_lands_elsewhere(name, monkeypatch):
    cls = azula.samplers()[name]
    weights = "_adams_bashforth" if hasattr(cls, "_adams_bashforth") else "_exponential_adams_bashforth"
    right = getattr(cls, weights)
    monkeypatch.setattr(cls, weights, staticmethod(lambda t, i, n: 1.01 * right(t, i=i, n=n)))
    data, noise = landing(respond(target(name)))
    assert max(data.max(), noise.max()) > 1e-3


def test_noise_of_the_wrong_size_lands_elsewhere(monkeypatch):
    library = azula.samplers()["DDPMSampler"].step.__globals__
    monkeypatch.setattr(azula.samplers()["DDPMSampler"], "step", louder(library))
    assert landing(respond(target("DDPMSampler")))[1].max() > 1e-3


def louder(library):
    def step(self, x_t, t, s, **options):
        alpha_s, sigma_s = self.denoiser.schedule(s)
        alpha_t, sigma_t = self.denoiser.schedule(t)
        tau = 1 - (alpha_t / alpha_s * sigma_s / sigma_t) ** 2
        mean = self.denoiser(x_t, t, **options).mean
        noise = (1 - tau).sqrt() / sigma_t * (x_t - alpha_t * mean) + 1.01 * tau.sqrt() * library["torch"].randn_like(x_t)
        return alpha_s * mean + sigma_s * noise

    return step


class Gaussian:
    """The exact denoiser of N(0, v), for azula's own loop: a route that shares nothing with the probe."""

    def __init__(self, v, schedule):
        self.v, self.schedule = v, schedule

    def __call__(self, x, t):
        alpha, sigma = self.schedule(t)
        return type("Posterior", (), {"mean": alpha * self.v / (alpha**2 * self.v + sigma**2) * x})


def slope(name, order):
    """The order at which azula's own loop converges to the law of Gaussian data."""
    schedule, v = azula.schedules()["VESchedule"](sigma_min=0.05, sigma_max=20.0), 0.3
    deviation = [torch.sqrt(v + schedule(torch.tensor(t, dtype=torch.float64))[1] ** 2) for t in (0.0, 1.0)]
    errors = []
    for steps in (80, 160):
        sampler = azula.samplers()[name](Gaussian(v, schedule), order=order, steps=steps, silent=True, dtype=torch.float64)
        errors.append(abs(float(sampler(deviation[1].reshape(1))) / float(deviation[0]) - 1))
    return next(math.log2(a / b) for a, b in pairwise(errors))


def test_the_rosenbrock_sampler_is_of_first_order_whatever_its_order_says():
    """A mistake in the released azula: sigma_t stands where sigma_s should, in the factor of the integral."""
    assert slope("xEABSampler", 2) == pytest.approx(2, abs=0.15)
    assert slope("REABSampler", 2) == pytest.approx(1, abs=0.15)


# -- the whole check ------------------------------------------------------------------------------------------------------


def failures(report):
    return [finding.check for finding in report.findings if finding.status in (Status.FAIL, Status.INCONCLUSIVE)]


RIGHT = [
    ("DDPMSampler", {}),
    ("DDIMSampler", {"eta": 0.25, "schedule": "CosineSchedule"}),
    ("HeunSampler", {"schedule": "RectifiedSchedule"}),
    ("ItoSampler", {"schedule": "VESchedule"}),
    ("zABSampler", {"order": 4}),
    ("xEABSampler", {"order": 3, "schedule": "DecaySchedule"}),
    ("PCSampler", {"corrections": 2}),
]


@pytest.mark.parametrize(("name", "config"), RIGHT, ids=lambda value: str(value))
def test_what_is_right_passes_every_check(name, config):
    assert failures(vd.check(target(name, config=config))) == []


@pytest.mark.parametrize("order", [2, 3])
def test_the_order_of_the_rosenbrock_sampler_is_not_the_one_it_claims(order):
    assert failures(vd.check(target("REABSampler", config={"order": order}))) == ["order"]


# -- what is asked of it in vain ------------------------------------------------------------------------------------------

REFUSED = [
    ("Nothing", {}, "azula has no sampler 'Nothing': give one of DDPMSampler"),
    ("Sampler", {}, "azula has no sampler 'Sampler'"),
    ("EulerSampler", {"config": {"order": 2}}, "EulerSampler has no option 'order'; it has start, stop"),
    ("DDIMSampler", {"config": {"eta": "much"}}, "the option eta must be a number, got 'much'"),
    ("DDIMSampler", {"eta": -0.5}, "`eta` must be 0 or more"),
    ("DDIMSampler", {"eta": 0.5, "config": {"eta": 1.0}}, "which one"),
    ("zABSampler", {"config": {"order": 0}}, "the option order must be a whole number from 1 on"),
    ("PCSampler", {"config": {"delta": 2.0}}, "`delta` must lie in"),
    ("EulerSampler", {"config": {"schedule": "Linear"}}, "azula has no schedule 'Linear'; it has VESchedule"),
    ("EulerSampler", {"config": {"gamma": 0.1}}, "has no option 'gamma'"),
    ("EulerSampler", {"config": {"schedule": "VESchedule", "sigma_min": 0.0}}, "azula makes no noise schedule of these options"),
    ("EulerSampler", {"config": {"schedule": "VESchedule", "sigma_max": 1e-4}}, "must rise with time"),
    ("EulerSampler", {"config": {"alpha_min": -1.0}}, "azula makes no noise schedule of these options"),
    ("EulerSampler", {"config": {"start": 0.2, "stop": 0.5}}, "times run from `start` down to `stop`"),
    ("EulerSampler", {"steps": 0}, "`steps` must be at least 1"),
    ("EulerSampler", {"spacing": "trailing"}, "azula takes no table of levels and no spacing"),
    ("EulerSampler", {"prediction": "v_prediction"}, "the model of azula is a denoiser"),
]


@pytest.mark.parametrize(("name", "options", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_makes_no_sense_is_refused_in_one_line(name, options, message):
    with pytest.raises(MisuseError, match=message) as refused:
        target(name, **options)
    assert "\n" not in str(refused.value)


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    def missing(name, package=None):
        raise ModuleNotFoundError(f"No module named {name!r}", name="azula")

    monkeypatch.setattr(azula.importlib, "import_module", missing)
    with pytest.raises(MisuseError, match=r"needs azula, which is not installed: pip install 'verifydiff\[azula\]'"):
        azula._library.__wrapped__()
