"""Functions over PyTorch tensors are judged as finely as those over NumPy arrays, whatever way they draw their noise."""

import math

import numpy as np
import pytest
from samplers import ABAR, BETAS, T, leading, trailing

import verifydiff as vd
from verifydiff.observe import observe
from verifydiff.observe.functions import function_target
from verifydiff.verdict import MisuseError, Status

torch = pytest.importorskip("torch", reason="functions over tensors need torch")

SCHEDULE = vd.Schedule.from_betas(BETAS)
LEVELS = torch.tensor(ABAR)


def failed(report):
    return [finding.check for finding in report.findings if finding.status in (Status.FAIL, Status.INCONCLUSIVE)]


def by_generator(seed):
    generator = torch.Generator().manual_seed(seed)
    return lambda x: torch.randn(x.shape, generator=generator, dtype=x.dtype)


def ddpm(variance="small", draw=by_generator):
    @torch.no_grad()
    def sample(denoise, x, seed):
        normal = draw(seed)
        for t in reversed(range(T)):
            eps = denoise(x, torch.full((len(x),), t))
            x = (x - BETAS[t] / (1 - LEVELS[t]).sqrt() * eps) / math.sqrt(1 - BETAS[t])
            if t > 0:
                spread = BETAS[t] if variance == "large" else BETAS[t] * (1 - ABAR[t - 1]) / (1 - ABAR[t])
                x = x + math.sqrt(spread) * normal(x)
        return x

    return sample


def ddim(eta, steps=10, grid=trailing, draw=by_generator, before=lambda times, i: ABAR[times[i + 1]], kind=None):
    times = grid(steps)

    def sample(denoise, x, seed):
        normal, x = draw(seed), x if kind is None else x.to(kind)
        for i, t in enumerate(times):
            here, there = ABAR[t], before(times, i) if i + 1 < steps else 1.0
            sigma = eta * math.sqrt((1 - there) / (1 - here)) * math.sqrt(1 - here / there)
            eps = denoise(x, t)
            x0 = (x - math.sqrt(1 - here) * eps) / math.sqrt(here)
            x = math.sqrt(there) * x0 + math.sqrt(1 - there - sigma**2) * eps + (sigma * normal(x) if eta else 0.0)
        return x

    return sample


RIGHT = {
    "DDPM (small variance), which is DDIM(eta = 1)": ddpm(),
    "DDPM (large variance)": ddpm("large"),
    "DDIM(eta = 0), which is Euler in sigma space": ddim(0.0, 12),
    "DDIM(eta = 0.3)": ddim(0.3, 7, leading),
}


@pytest.mark.parametrize("family", RIGHT)
def test_a_right_sampler_passes_and_its_family_is_identified(family):
    report = vd.check(RIGHT[family], schedule=SCHEDULE)
    assert failed(report) == []
    assert report.identified_as == family
    (weights,) = [finding for finding in report.findings if finding.check == "coefficients"]
    assert weights.measured < 1e-10
    assert not any(finding.check == "precision" for finding in report.findings)


def test_slips_are_found_and_named():
    early = vd.check(ddim(0.0, before=lambda times, i: ABAR[times[i + 1] - 1]), schedule=SCHEDULE, family=vd.DDIM(0.0))
    assert failed(early)[0] == "pairing"
    assert early.diagnosis[0].slip == "end-one-early"
    large = vd.check(ddpm("large"), schedule=SCHEDULE, family=vd.DDPM())
    assert failed(large) == ["noise-scale", "exact-moments"]
    assert large.diagnosis[0].slip == "beta-for-beta-tilde"


def seeded(draw):
    def normal(seed):
        torch.manual_seed(seed)
        return draw

    return normal


def by_generator_of_normal(seed):
    generator = torch.Generator().manual_seed(seed)
    return lambda x: torch.normal(torch.ones_like(x), 2.0, generator=generator) / 2 - 0.5


def in_place_by_generator(seed):
    generator = torch.Generator().manual_seed(seed)
    return lambda x: torch.empty_like(x).normal_(generator=generator)


def by_numpy(seed):
    rng = np.random.default_rng(seed)
    return lambda x: torch.from_numpy(rng.standard_normal(tuple(x.shape)))


DRAWS = {
    "randn": seeded(lambda x: torch.randn(*x.shape)),
    "randn_like": seeded(torch.randn_like),
    "randn-out": seeded(lambda x: torch.randn(x.shape, out=torch.empty(x.shape))),
    "normal-of-sizes": seeded(lambda x: torch.normal(0.0, 1.0, x.shape)),
    "normal-of-spreads": seeded(lambda x: torch.normal(0.0, 2 * torch.ones_like(x)) / 2),
    "new_empty.normal_": seeded(lambda x: x.new_empty(x.shape).normal_(1.0, 3.0).sub_(1.0).div_(3.0)),
    "distributions": seeded(lambda x: torch.distributions.Normal(torch.zeros_like(x), 1.0).sample()),
    "inference-mode": seeded(torch.inference_mode()(torch.randn_like)),
    "generator": by_generator,
    "normal-by-generator": by_generator_of_normal,
    "normal_-by-generator": in_place_by_generator,
    "numpy": by_numpy,
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_every_way_to_draw_noise_is_reached(draw):
    seen = observe(function_target(ddim(0.5, 4, draw=draw), SCHEDULE))
    assert not seen.hidden.any()
    assert seen.noisy.tolist() == [True, True, True, False]
    assert seen.replays
    assert seen.seeds_differ


def test_a_recorded_run_draws_the_numbers_that_torch_would_have_drawn():
    kept = []

    def sample(denoise, x, seed):
        torch.manual_seed(seed)
        kept.append((torch.randn_like(x), torch.normal(x, 2.0), torch.empty(x.shape, dtype=torch.bfloat16).normal_(1.0, 0.5)))
        return denoise(x, 99)

    x = torch.from_numpy(observe(function_target(sample, SCHEDULE), seed=3).run.x[0])
    torch.manual_seed(3)
    for drawn, again in zip(kept[0], (torch.randn_like(x), torch.normal(x, 2.0)), strict=False):
        assert torch.equal(drawn, again)
    assert torch.equal(kept[0][2], torch.empty(x.shape, dtype=torch.bfloat16).normal_(1.0, 0.5))


def test_noise_without_a_spread_is_left_alone():
    def sample(denoise, x, seed):
        return denoise(x, 99) + torch.normal(torch.zeros_like(x), torch.zeros_like(x))

    assert not observe(function_target(sample, SCHEDULE)).noisy.any()


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_coarser_types_are_judged_at_their_own_rounding(kind):
    asked = set()

    def sample(denoise, x, seed):
        def model(x, t):
            prediction = denoise(x, t)
            asked.add((x.dtype, prediction.dtype, prediction.device))
            return prediction

        return ddim(0.0, 5, kind=kind)(model, x, seed)

    report = vd.check(sample, schedule=SCHEDULE, family=vd.DDIM(0.0))
    assert failed(report) == []
    assert asked == {(kind, kind, torch.device("cpu"))}
    assert observe(function_target(sample, SCHEDULE)).run.unit == torch.finfo(kind).eps / 2


def test_a_function_that_takes_single_precision_alone_is_given_it():
    mixing = torch.eye(4)  # in single precision: PyTorch refuses to multiply it with anything else

    def sample(denoise, x, seed):
        return ddim(0.0)(denoise, x @ mixing, seed)

    report = vd.check(sample, schedule=SCHEDULE)
    assert failed(report) == []
    assert report.notes == ("it raises when it is handed PyTorch tensors, and is judged over PyTorch tensors in single precision.",)


def test_a_function_over_numpy_that_mentions_torch_is_still_one_over_numpy():
    def sample(denoise, x, seed):
        assert not isinstance(x, torch.Tensor)
        rng = np.random.default_rng(seed)
        for t in (99, 49):
            here, there = ABAR[t], ABAR[49] if t == 99 else 1.0
            sigma = np.sqrt((1 - there) / (1 - here) * (1 - here / there))
            eps = denoise(x, t)
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there - sigma**2) * eps
            x = x + sigma * rng.standard_normal(x.shape)
        return x

    report = vd.check(sample, schedule=SCHEDULE, family=vd.DDIM(1.0))
    assert failed(report) == []
    assert "is judged over NumPy arrays" in report.notes[0]


def test_a_function_may_hand_back_numpy_arrays():
    def sample(denoise, x, seed):
        for k, t in enumerate((99, 49)):
            here, there = ABAR[t], ABAR[49] if k == 0 else 1.0
            eps = torch.from_numpy(denoise(x.numpy(), np.int64(t)))
            x = math.sqrt(there / here) * (x - math.sqrt(1 - here) * eps) + math.sqrt(1 - there) * eps
        return x.numpy()

    assert failed(vd.check(sample, schedule=SCHEDULE, arrays="torch")) == []


@pytest.mark.parametrize("what", ["x_init", "prediction"])
def test_changing_what_is_not_its_own_is_found(what):
    def sample(denoise, x, seed):
        original = x
        for t in (99, 49):
            here, there = ABAR[t], ABAR[49] if t == 99 else 1.0
            eps = denoise(x, t)
            x = math.sqrt(there / here) * (x - math.sqrt(1 - here) * eps) + math.sqrt(1 - there) * eps
            if what == "prediction":
                eps.mul_(2)
        if what == "x_init":
            original.add_(1)
        return x

    assert failed(vd.check(sample, schedule=SCHEDULE, arrays="torch")) == ["behaviour"]


def test_what_a_function_sets_in_torch_is_given_back():
    before = torch.get_default_dtype(), torch.is_grad_enabled(), torch.random.get_rng_state()

    def sample(denoise, x, seed):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(seed)
        return ddim(0.5, draw=lambda seed: torch.randn_like)(denoise, x, seed)

    assert failed(vd.check(sample, schedule=SCHEDULE)) == []
    assert (torch.get_default_dtype(), torch.is_grad_enabled()) == before[:2]
    assert torch.equal(torch.random.get_rng_state(), before[2])
    assert not torch.are_deterministic_algorithms_enabled()


def test_noise_of_a_global_generator_that_nobody_seeds_is_found():
    assert failed(vd.check(ddim(0.5, draw=lambda seed: torch.randn_like), schedule=SCHEDULE)) == ["seed"]


def test_a_fault_is_one_line_and_the_first_kind_of_arrays_tells_it():
    def sample(denoise, x, seed):
        denoise(x, 99)
        return x.no_such_method()

    (finding,) = vd.check(sample, schedule=SCHEDULE, arrays="torch").findings
    assert "raised after 1 model calls: AttributeError: 'Tensor' object has no attribute 'no_such_method'" in finding.message


def test_a_library_that_is_missing_or_unknown_is_said_in_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(MisuseError, match="--arrays torch needs torch, which is not installed: pip install torch"):
        vd.check(lambda denoise, x, seed: x, schedule=SCHEDULE, arrays="torch")
    with pytest.raises(MisuseError, match="no arrays are called 'cupy'"):
        vd.check(lambda denoise, x, seed: x, schedule=SCHEDULE, arrays="cupy")


def test_a_default_type_that_a_file_sets_is_in_force_for_its_functions_and_for_nobody_else(tmp_path):
    from verifydiff.observe.resolve import resolve

    (tmp_path / "wide.py").write_text(
        "import numpy as np, torch\ntorch.set_default_dtype(torch.float64)\nB = np.linspace(1e-3, 0.2, 100)\n"
        "def sample(denoise, x, seed):\n"
        "    abar = torch.cumprod(1 - torch.tensor(B.tolist()), 0)\n"
        "    for t in (99, 49):\n"
        "        here, there = abar[t], abar[49] if t == 99 else torch.ones(())\n"
        "        eps = denoise(x, t)\n"
        "        x = (there / here).sqrt() * (x - (1 - here).sqrt() * eps) + (1 - there).sqrt() * eps\n"
        "    return x\n"
    )
    report = vd.check(resolve(f"{tmp_path / 'wide.py'}:sample", schedule=SCHEDULE))
    assert failed(report) == []
    assert not any(finding.check == "precision" for finding in report.findings)
    assert torch.get_default_dtype() is torch.float32
