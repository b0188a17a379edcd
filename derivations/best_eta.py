r"""Which eta is best? It depends on the number of steps, proved at numbers.

The data are Gaussian with the exact denoiser, so that nothing but the sampler is at fault; the sampler starts with N(0, 1), as
all do. The schedule is the linear one, a thousand betas from 1/10000 to 2/100 as exact rationals, and S steps over its levels
at 1000, 1000 - 1000/S, ..., 0. The squared Frechet distance to the data is the squared error of the mean, which the gains
multiply, and that of the deviation. Every number is a ball that encloses the true one.

With few steps the variance that each step loses decides, and less noise loses less. With a thousand it matters what is left
of the wrong start, and some noise forgets it. Where the start is right in the mean, no noise stays best. Compared are eta = 0,
1/2 and 1; "nearer" by a factor is said of the squared distance.
"""

from sympy import Rational, sqrt

from verifydiff.forms import ddim, ddpm, laws
from verifydiff.forms.quantities import NONNEGATIVE, abar_s, alpha_t, beta_t, data_variance, eta, sigma_t
from verifydiff.proof import derivation, letter, levels

T = 1000
BETAS = [Rational(1, 10000) + Rational(199 * place, 10000 * (T - 1)) for place in range(T)]
LEVELS = levels(BETAS)
HALF = Rational(1, 2)
OURS = "derived here, for the linear schedule of Ho et al. 2020, sec. 4"

variance, bias, g = letter("variance", "V", domain=NONNEGATIVE), letter("bias", "B^2", domain=NONNEGATIVE), letter("g")


def run(d, name, steps, noise, spread, mean, large=False):
    """Run one sampler; returns what it is wrong by in the mean and in the deviation, both squared, in letters that name numbers."""
    stride = T // steps
    times = range(T, 0, -stride)
    table = {abar_s: [LEVELS[t - stride] for t in times], alpha_t: [levels(BETAS[t - stride : t])[-1] for t in times]}
    scale = d.use(ddim.sigma, at={eta: noise})
    fresh = beta_t if large else d.use(ddpm.posterior_variance) * noise**2
    gain = d.use(laws.gain, at={sigma_t: scale, data_variance: spread})
    ends = {variance: letter(f"V_{name}", f"V_{{{name}}}"), bias: letter(f"B_{name}", f"B_{{{name}}}^2")}
    choice = ", beta for the variance, the last step silent" if large else ""
    if large:
        silent = [1] * (steps - 1) + [0]
        loud = letter("loud", domain=NONNEGATIVE)
        table[loud], fresh = silent, fresh * loud
    d.iterate(
        table, {variance: 1, bias: LEVELS[T] * mean**2}, {g: gain, variance: g**2 * variance + fresh, bias: g**2 * bias}, ends,
        f"{steps} steps of the linear schedule from N(0, 1), eta = {noise}{choice}; data N({mean}, {spread})",
    )  # fmt: skip
    return ends[bias], (sqrt(ends[variance]) - sqrt(spread)) ** 2


def three(d, steps, spread, mean):
    """The two parts of the distances for eta = 0, 1/2 and 1."""
    return [run(d, name, steps, noise, spread, mean) for name, noise in (("0", Rational(0)), ("h", HALF), ("1", Rational(1)))]


@derivation(id="best_eta.ten_steps", title="ten steps: no noise is better than some, and some than that of DDPM", source=OURS)
def ten_steps(d):
    """Data N(1, 1/4): the deterministic sampler is nearest, DDPM farthest."""
    none, some, full = (sum(parts) for parts in three(d, 10, Rational(1, 4), 1))
    d.compare(none, "<", some, "no noise is nearer than eta = 1/2")
    d.compare(some, "<", full, "which is nearer than eta = 1")
    d.compare(full, "<", 2 * none, "though not by as much as a factor of 2")


@derivation(
    id="best_eta.hundred_steps", title="a hundred steps: no noise is better than some, and some than that of DDPM", source=OURS
)
def hundred_steps(d):
    """Data N(1, 1/4): the order is that of ten steps, and the difference between the ends is greater."""
    none, some, full = (sum(parts) for parts in three(d, 100, Rational(1, 4), 1))
    d.compare(none, "<", some, "no noise is nearer than eta = 1/2")
    d.compare(some, "<", full, "which is nearer than eta = 1")
    d.compare(4 * none, "<", full, "by more than a factor of 4 from end to end")


@derivation(
    id="best_eta.thousand_steps",
    title="a thousand steps: some noise is better than none and than that of DDPM, where the start is wrong",
    source=OURS,
)
def thousand_steps(d):
    """Data N(1, 1/4): eta = 1/2 is nearer than none and than full noise.

    What is left of the start's wrong mean outweighs the rest. The deviation alone, which is all that is
    wrong for data N(0, 1/4), is nearest without noise.
    """
    none, some, full = three(d, 1000, Rational(1, 4), 1)
    d.compare(2 * sum(some), "<", sum(none), "eta = 1/2 is nearer than no noise, by more than a factor of 2")
    d.compare(3 * sum(some), "<", sum(full), "and than eta = 1, by more than a factor of 3")
    d.compare(none[1], "<", some[1], "the deviation alone: no noise is nearer than eta = 1/2")
    d.compare(some[1], "<", full[1], "which is nearer than eta = 1")


@derivation(id="best_eta.large_variance", title="DDPM with beta in place of beta-tilde", source=OURS)
def large_variance(d):
    """Data N(1, 1/4): for data that are spread about as noise is, beta is nearly the right variance. Ten steps."""
    none = sum(run(d, "0", 10, Rational(0), Rational(1, 4), 1))
    full = sum(run(d, "1", 10, Rational(1), Rational(1, 4), 1))
    large = sum(run(d, "beta", 10, Rational(1), Rational(1, 4), 1, large=True))
    d.compare(400 * large, "<", none, "more than 400 times nearer than the deterministic sampler")
    d.compare(700 * large, "<", full, "and 700 times nearer than DDPM with beta-tilde")


@derivation(id="best_eta.wide_data", title="wide data: beta is not the right variance", source=OURS)
def wide_data(d):
    """Data N(0, 100): beta adds too little, and the deterministic sampler is nearer at ten steps."""
    none = sum(run(d, "0", 10, Rational(0), Rational(100), 0))
    full = sum(run(d, "1", 10, Rational(1), Rational(100), 0))
    large = sum(run(d, "beta", 10, Rational(1), Rational(100), 0, large=True))
    d.compare(none, "<", large, "no noise is nearer than beta")
    d.compare(large, "<", full, "which is nearer than beta-tilde")
