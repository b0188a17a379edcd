"""Are the explorer's numbers the exact ones?"""

from __future__ import annotations

import math

import numpy as np
import pytest

jax = pytest.importorskip("jax")
pytest.importorskip("numpyro")

from verifydiff.oracles import DiagonalGaussian, law_after, steps  # noqa: E402
from verifydiff.teach import explorer  # noqa: E402
from verifydiff.teach.explorer import MissingError, Setting, explore, spaced_levels  # noqa: E402
from verifydiff.verdict import MisuseError  # noqa: E402

SETTING = {"eta": 0.5, "steps": 12, "schedule": "cosine", "variance": 2.0, "mean": 1.0}


@pytest.mark.parametrize(
    "changed", [{}, {"eta": 0.0, "schedule": "linear"}, {"eta": 1.0, "steps": 1}, {"variance": 0.01, "steps": 3}]
)
def test_the_law_is_that_of_the_oracle_and_the_distance_that_of_its_moments(changed):
    asked = SETTING | changed
    setting = Setting.of(asked)
    data = DiagonalGaussian(np.array([asked["mean"]]), np.array([asked["variance"]]))
    exact = law_after(data, spaced_levels(setting.table, asked["steps"]), steps.ddim(asked["eta"]))
    law = explore(asked)["law"]
    assert law["mean"] == pytest.approx(float(exact.loc[0]), rel=1e-12)
    assert law["variance"] == pytest.approx(float(exact.variance[0]), rel=1e-12)
    gap = (law["mean"] - asked["mean"]) ** 2 + (math.sqrt(law["variance"]) - math.sqrt(asked["variance"])) ** 2
    assert law["distance"] == pytest.approx(gap, rel=1e-6, abs=1e-14)


def test_the_curve_goes_through_the_point_and_falls():
    told = explore(SETTING | {"steps": 20})
    curve = dict(zip(told["curve"]["steps"], told["curve"]["distance"], strict=True))
    assert curve[20] == pytest.approx(told["law"]["distance"], abs=1e-9)
    assert curve[1] > curve[10] > curve[100] > curve[1000]


def test_the_weights_keep_the_marginals():
    """The signal: p sqrt(abar_t) + q = sqrt(abar_s). The noise, where x_0 is known: p^2 (1 - abar_t) + c^2 = 1 - abar_s."""
    weights = explore(SETTING)["coefficients"]
    abar_t = np.array(weights["abar"])
    abar_s = np.append(abar_t[1:], 1.0)
    p, q, c = (np.array(weights[name]) for name in ("x_t", "x_0", "z"))
    np.testing.assert_allclose(p * np.sqrt(abar_t) + q, np.sqrt(abar_s), atol=1e-8)  # ten digits are sent
    np.testing.assert_allclose(p**2 * (1 - abar_t) + c**2, 1 - abar_s, atol=1e-8)


def test_paths_begin_in_noise_and_end_in_the_mixture():
    told = explore(SETTING | {"steps": 200, "eta": 0.0})["paths"]
    ends = np.array([path[-1] for path in told["x"]])
    nearest = np.abs(ends[:, None] - np.array(explorer.MEANS)).min(axis=1)
    assert nearest.max() < 5 * math.sqrt(explorer.SPREAD)
    begins = np.array([path[0] for path in told["x"]])
    assert np.all(np.diff(ends[np.argsort(begins)]) > 0)  # a flow on a line keeps the order
    width = told["at"][1] - told["at"][0]
    assert sum(told["data"]) * width == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("schedule", ["linear", "scaled_linear", "cosine"])
@pytest.mark.parametrize("eta", [0, 1])
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_every_number_is_finite(schedule, eta, count):
    told = explore({"eta": eta, "steps": count, "schedule": schedule, "variance": 9, "mean": -3})
    numbers = [*told["law"].values(), *told["curve"]["distance"], *told["coefficients"]["x_0"], *np.ravel(told["paths"]["x"])]
    assert all(map(math.isfinite, numbers))


@pytest.mark.parametrize(
    "changed",
    [
        {"eta": 1.1},
        {"eta": None},
        {"steps": 0},
        {"steps": 1.5},
        {"steps": 1001},
        {"schedule": "x"},
        {"variance": 0},
        {"mean": math.nan},
    ],
)
def test_what_is_out_of_range_is_refused(changed):
    with pytest.raises(MisuseError):
        explore(SETTING | changed)


def test_without_jax_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "numpyro", None)
    with pytest.raises(MissingError, match=r"pip install 'verifydiff\[oracles\]'"):
        explore(SETTING)
