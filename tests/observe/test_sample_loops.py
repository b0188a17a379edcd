"""Classes with a p_sample_loop: a small one in that manner, its mutants, and what its adapter refuses."""

import enum
import sys
from pathlib import Path

import numpy as np
import pytest

import verifydiff as vd
from verifydiff.cli import main
from verifydiff.observe.sample_loops import sample_loop_target
from verifydiff.verdict import MisuseError, Status

torch = pytest.importorskip("torch", reason="such classes work on tensors")

T = 100
BETAS = np.linspace(1e-3, 0.2, T)


class Mean(enum.Enum):
    EPSILON = enum.auto()
    START_X = enum.auto()
    PREVIOUS_X = enum.auto()


class Variance(enum.Enum):
    FIXED_SMALL = enum.auto()
    FIXED_LARGE = enum.auto()
    LEARNED_RANGE = enum.auto()


class Diffusion:
    """Ancestral and implicit sampling over all times; tables in double precision, steps in single."""

    def __init__(self, betas=BETAS, mean=Mean.EPSILON, variance=Variance.FIXED_SMALL, rescale_timesteps=False):
        self.betas, self.model_mean_type, self.model_var_type = betas, mean, variance
        self.rescale_timesteps, self.num_timesteps = rescale_timesteps, len(betas)
        self.alphas_cumprod = np.cumprod(1 - betas)
        self.alphas_cumprod_prev = np.append(1.0, self.alphas_cumprod[:-1])

    def variance(self):
        small = self.betas * (1 - self.alphas_cumprod_prev) / (1 - self.alphas_cumprod)
        return small if self.model_var_type is Variance.FIXED_SMALL else np.append(small[1], self.betas[1:])

    def told(self, t):
        return t.float() * (1000.0 / self.num_timesteps) if self.rescale_timesteps else t

    def data(self, model, x, t, clip):
        said, abar = model(x, self.told(t)), self.alphas_cumprod
        if self.model_mean_type is Mean.EPSILON:
            said = self.at(np.sqrt(1 / abar), t, x) * x - self.at(np.sqrt(1 / abar - 1), t, x) * said
        return said.clamp(-1, 1) if clip else said

    def noise(self, x, t):
        return (t != 0).float().view(-1, *[1] * (x.dim() - 1)) * torch.randn_like(x)

    def p_sample(self, model, x, t, clip):
        before, abar = self.alphas_cumprod_prev, self.alphas_cumprod
        of_data, of_state = self.betas * np.sqrt(before) / (1 - abar), (1 - before) * np.sqrt(1 - self.betas) / (1 - abar)
        mean = self.at(of_data, t, x) * self.data(model, x, t, clip) + self.at(of_state, t, x) * x
        return mean + self.at(np.sqrt(self.variance()), t, x) * self.noise(x, t)

    def ddim_sample(self, model, x, t, clip, eta):
        here, there = self.at(self.alphas_cumprod, t, x), self.at(self.alphas_cumprod_prev, t, x)
        x0 = self.data(model, x, t, clip)
        eps = (x - torch.sqrt(here) * x0) / torch.sqrt(1 - here)
        sigma = eta * torch.sqrt((1 - there) / (1 - here)) * torch.sqrt(1 - here / there)
        return torch.sqrt(there) * x0 + torch.sqrt(1 - there - sigma**2) * eps + sigma * self.noise(x, t)

    def p_sample_loop(self, model, shape, noise=None, clip_denoised=True, device=None, progress=False):
        device = next(model.parameters()).device if device is None else device
        x = torch.randn(*shape, device=device) if noise is None else noise
        for i in reversed(range(self.num_timesteps)):
            with torch.no_grad():
                x = self.p_sample(model, x, torch.tensor([i] * shape[0], device=device), clip_denoised)
        return x

    def ddim_sample_loop(self, model, shape, noise=None, clip_denoised=True, eta=0.0):
        x = noise
        for i in reversed(range(self.num_timesteps)):
            x = self.ddim_sample(model, x, torch.tensor([i] * shape[0]), clip_denoised, eta)
        return x

    @staticmethod
    def at(table, t, x):
        return torch.from_numpy(table)[t].float().reshape(-1, *[1] * (x.dim() - 1))


class Spaced(Diffusion):
    """The process on some of the times alone; the model is told those of the original one."""

    def __init__(self, retained, betas=BETAS, **options):
        self.timestep_map, self.original_num_steps = sorted(retained), len(betas)
        abar = np.append(1.0, np.cumprod(1 - betas)[self.timestep_map])
        super().__init__(1 - abar[1:] / abar[:-1], **options)

    def told(self, t):
        original = torch.tensor(self.timestep_map, dtype=t.dtype)[t]
        return original.float() * (1000.0 / self.original_num_steps) if self.rescale_timesteps else original


def statuses(report, *which):
    return [finding.check for finding in report.findings if finding.status in which]


def failed(report):
    return statuses(report, Status.FAIL, Status.INCONCLUSIVE)


SMALL, LARGE = "DDPM (small variance), which is DDIM(eta = 1)", "DDPM (large variance)"
RIGHT = [
    ("all times", Diffusion(), {}, SMALL),
    ("large", Diffusion(variance=Variance.FIXED_LARGE), {}, LARGE),
    ("data predicted", Diffusion(mean=Mean.START_X), {}, SMALL),
    ("times rescaled", Diffusion(rescale_timesteps=True), {}, SMALL),
    ("spaced", Spaced(range(0, T, 7)), {}, SMALL),
    ("spaced, with its schedule", Spaced(range(9, T, 10)), {"schedule": vd.Schedule.from_betas(BETAS)}, SMALL),
    ("spaced and rescaled", Spaced(range(9, T, 10), rescale_timesteps=True), {}, SMALL),
    ("ddim", Spaced(range(9, T, 10)), {"config": {"method": "ddim_sample_loop"}}, "DDIM(eta = 0), which is Euler in sigma space"),
    ("ddim, with an eta", Spaced(range(9, T, 10)), {"config": {"method": "ddim_sample_loop"}, "eta": 0.5}, "DDIM(eta = 0.5)"),
    ("an image", Spaced(range(9, T, 30)), {"shape": (3, 8, 8)}, SMALL),
]


@pytest.mark.parametrize(("diffusion", "options", "family"), [case[1:] for case in RIGHT], ids=[case[0] for case in RIGHT])
def test_a_right_loop_passes_with_what_it_claims_itself(diffusion, options, family):
    report = vd.check(sample_loop_target(diffusion, **options))
    assert failed(report) == []
    assert report.identified_as == family
    found = {finding.check: finding for finding in report.findings}
    assert found["coefficients"].measured < 1e-8  # on its own code, run wide
    assert found["noise-scale"].measured is None or found["noise-scale"].measured < 1e-10
    assert "single precision" in found["precision"].message  # and as it is


def test_clipping_is_on_unless_it_is_turned_off():
    assert "clipping" in statuses(vd.check(Diffusion()), Status.NOTE)
    assert "clipping" not in statuses(vd.check(sample_loop_target(Diffusion(), config={"clip_denoised": False})), Status.NOTE)


class IndexOffByOne(Diffusion):
    def told(self, t):
        return (t + 1).clamp(max=self.num_timesteps - 1)


class BetaWhereBetaTildeIsClaimed(Diffusion):
    def variance(self):
        return np.append(0.0, self.betas[1:])


class NoiseAtTheEnd(Diffusion):
    def noise(self, x, t):
        return torch.randn_like(x)


class PreviousLevelIsTheSameLevel(Diffusion):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.alphas_cumprod_prev = np.append(self.alphas_cumprod[0], self.alphas_cumprod[:-1])


class SharedNoise(Diffusion):
    def noise(self, x, t):
        return super().noise(x, t)[:1].expand(x.shape)


class VarianceAsDeviation(Diffusion):
    def variance(self):
        return super().variance() ** 2


class WrongTable(Diffusion):
    def __init__(self):
        super().__init__()
        self.alphas_cumprod = np.cumprod(1 - np.linspace(1e-3, 0.19, T))


MUTANTS = [
    (IndexOffByOne(), "time-grid", None),
    (BetaWhereBetaTildeIsClaimed(), "noise-scale", "beta-for-beta-tilde"),
    (NoiseAtTheEnd(variance=Variance.FIXED_LARGE), "last-step", "noise-at-the-end"),
    (PreviousLevelIsTheSameLevel(), "pairing", None),
    (SharedNoise(), "noise-law", "shared-noise"),
    (VarianceAsDeviation(), "noise-scale", "variance-as-deviation"),
    (WrongTable(), "tables", None),
]


@pytest.mark.parametrize(("diffusion", "check", "slip"), MUTANTS, ids=[type(mutant).__name__ for mutant, *_ in MUTANTS])
def test_a_planted_slip_is_found_and_named(diffusion, check, slip):
    report = vd.check(diffusion)
    assert check in failed(report)
    if slip is not None:
        assert report.diagnosis[0].slip == slip


def test_the_adapter_leaves_torch_as_it_was():
    before = torch.Tensor.float, torch.get_default_dtype(), torch.random.get_rng_state(), sys.modules[__name__].torch
    vd.check(Spaced(range(9, T, 30)))
    assert (torch.Tensor.float, torch.get_default_dtype()) == before[:2]
    assert torch.equal(torch.random.get_rng_state(), before[2])
    assert sys.modules[__name__].torch is before[3]


class WithoutNoise:
    betas = BETAS

    def p_sample_loop(self, model, shape):
        return model(torch.randn(shape), torch.zeros(shape[0]))


class WithoutTable:
    def p_sample_loop(self, model, shape, noise=None):
        return model(noise, torch.zeros(shape[0]))


class WithAWord(WithoutTable):
    betas = "many"


class Mapped(WithoutTable):
    betas, timestep_map = BETAS, [3, 1]


class WithModules(WithoutTable):
    betas, wide_modules = BETAS, "library"


MISUSE = [
    (WithoutNoise(), {}, "p_sample_loop takes no noise: only loops p_sample_loop(model, shape, noise=None, ...)"),
    (WithoutTable(), {}, "has neither betas nor alphas_cumprod: say --schedule"),
    (WithAWord(), {}, "betas is no table of numbers"),
    (WithModules(), {}, "wide_modules must hold names of modules, such as ('package.module',), got library."),
    (Diffusion(), {"schedule": BETAS}, "`schedule` must be a Schedule, got ndarray"),
    (Mapped(), {}, "timestep_map must hold the retained timesteps, rising"),
    (Diffusion(), {"config": {"colour": 1}}, "takes no 'colour'; it takes clip_denoised, progress"),
    (Diffusion(), {"config": {"noise": 1}}, "the noise of p_sample_loop is the probe's to choose"),
    (Diffusion(), {"config": {"method": "plms_sample_loop"}}, "it has ddim_sample_loop, p_sample_loop"),
    (Diffusion(), {"eta": 0.5}, "takes no 'eta'"),
    (Diffusion(), {"schedule": vd.Schedule.linear(50)}, "the schedule has 50 timesteps, Diffusion needs 100"),
    (Diffusion(variance=Variance.LEARNED_RANGE), {}, "a learned variance needs a model that predicts one"),
    (Diffusion(mean=Mean.PREVIOUS_X), {}, "the model predicts the previous x"),
    (Diffusion(betas=np.array([0.1, 1.5])), {}, "must lie in (0, 1)"),
]


@pytest.mark.parametrize(("diffusion", "options", "says"), MISUSE, ids=[says[:40] for *_, says in MISUSE])
def test_misuse_is_one_clear_line(diffusion, options, says):
    with pytest.raises(MisuseError) as error:
        sample_loop_target(diffusion, **options)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


class Fixed(Diffusion):
    """A loop on every tenth time, with an eta of its own; that it takes a hundred steps nobody says."""

    def __init__(self, eta):
        super().__init__(variance=None)
        self.eta = eta
        del self.num_timesteps

    def p_sample_loop(self, model, shape, noise=None):
        x, times = noise, list(range(9, T, 10))
        for i, t in reversed(list(enumerate(times))):
            self.alphas_cumprod_prev[t] = self.alphas_cumprod[times[i - 1]] if i else 1.0
            x = self.ddim_sample(model, x, torch.tensor([t] * shape[0]), False, self.eta)
        return x

    ddim_loop = p_sample_loop


@pytest.mark.parametrize("method", ["p_sample_loop", "ddim_loop"])
def test_a_loop_that_says_neither_its_steps_nor_its_eta_claims_none(method):
    report = vd.check(sample_loop_target(Fixed(0.5), config={"method": method}))
    assert failed(report) == []
    assert report.identified_as == "DDIM(eta = 0.5)"
    assert "time-grid" in failed(vd.check(sample_loop_target(Fixed(0.5), config={"method": method}), steps=20))


def test_the_number_of_steps_is_claimed_where_the_object_says_it():
    class SkipsTheFirst(Diffusion):
        def p_sample_loop(self, model, shape, noise=None):
            for i in reversed(range(T - 1)):
                noise = self.p_sample(model, noise, torch.tensor([i] * shape[0]), False)
            return noise

    (finding,) = [finding for finding in vd.check(SkipsTheFirst()).findings if finding.check == "time-grid"]
    assert finding.message == "the model was asked 99 times; 100 steps were claimed."
    strided = Fixed(0.0)
    strided.num_timesteps, strided.sampling_timesteps = T, 10
    assert sample_loop_target(strided).steps is None


def test_an_eta_that_is_claimed_need_not_be_an_argument_of_the_loop(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    lines = ("from test_sample_loops import Fixed, Spaced", "half = Fixed(0.5)", "spaced = Spaced(range(9, 100, 10))")
    Path("fixed.py").write_text("\n".join(lines))
    claimed = ["--family", "ddim", "--eta"]
    assert main(["check", "fixed.py:half", *claimed, "0.5"]) == 0
    assert main(["check", "fixed.py:half", *claimed, "0.25"]) == 1
    assert main(["check", "fixed.py:spaced", "--config", "method=ddim_sample_loop", *claimed, "0.25"]) == 0  # and is told, if it is
    capsys.readouterr()
    assert main(["check", "fixed.py:half", "--eta", "0.5"]) == 2
    assert "takes no 'eta'; it takes nothing more. What it has of its own is claimed by --family ddim" in capsys.readouterr().err


def test_a_loop_that_raises_half_way_is_a_finding():
    class Breaks(Diffusion):
        def p_sample(self, model, x, t, clip):
            return super().p_sample(model, x, t, clip) if t[0] > 50 else {}["missing"]

    (finding,) = vd.check(Breaks()).findings
    assert "raised after 49 model calls: KeyError: 'missing'" in finding.message


@pytest.mark.parametrize("name", ["instance", "made", "Made"])
def test_the_command_takes_an_object_and_what_makes_one(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    Path("mine.py").write_text(
        "from test_sample_loops import Diffusion, Spaced\ninstance = Spaced(range(9, 100, 10))\n"
        "def made():\n    return instance\n"
        "class Made(Spaced):\n    def __init__(self):\n        super().__init__(range(9, 100, 10))\n"
    )
    assert main(["check", f"mine.py:{name}", "--config", "method=ddim_sample_loop", "--eta", "0.25"]) == 0
    assert "seen to be: DDIM(eta = 0.25)" in capsys.readouterr().out
    for arguments, says in (
        (["mine.py:Diffusion", "--config", "progress=1", "--eta", "0.25"], "takes no 'eta'"),
        (["mine.py:instance", "--arrays", "torch"], "--arrays says what a function works on"),
        (["mine.py:Spaced"], "cannot be called without arguments: TypeError"),
    ):
        assert main(["check", *arguments]) == 2
        assert says in capsys.readouterr().err
