r"""A network that was trained on real images, laid over images that it has not seen.

Nobody knows the law of such images. So there is no floor of the loss, no exact score and no law in which S steps end, and a
confirmation cannot say how far the network is from the best there is. What can be asked is whether its images are like real ones:

* a **classifier** learns the labels of the images that the network learnt from (a perceptron of one hidden layer, scikit-learn's).
  How often does it see the label that was asked for in an image made for it, how often the right one in one held out?
* the **labels** that it gives to images made without one, against those of the images learnt from, whose law the network's is;
* the **Frechet distance** of what its hidden layer says of two sets of images: made and learnt from, less held out and learnt from,
  over the variance of the latter. Both are of finite sets, whose bias of order 1/n the jackknife takes off;
* the **energy distance** of made and held-out images, exact by permutation. It says only whether the two can be told apart;
* the **nearest** image learnt from: is it nearer to one made than to one held out? By all the others a copy is perfect.

The sampler, which needs no data to be judged, is judged as ever.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from math import log, sqrt
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.tree_util import Partial
from scipy.stats import beta

from ..network import Images
from ..samplers import spaced
from ..statistics import energy_distance, permutations_needed
from ..statistics.evidence import Array as Numbers
from ..verdict import Finding, MisuseError, Status
from .budget import BLOCKS, Budget
from .distance import frechet
from .judging import Interval, jackknife, judged
from .loops import REFERENCE
from .model import named

QUESTIONS = 8
"""At most so many intervals are judged: among them the declared rates are shared."""
EACH = 5
"""Images of either kind, with a label asked for and without, for each draw that a cell of other confirmations has."""
HIDDEN, ROUNDS = 64, 60
"""The classifier: features, and how often it sees the images."""
MOST_LEARNT = 10_000
"""Images that the classifier learns from."""
MOST_COMPARED = 1_000
"""Of each kind, pair by pair."""
PERMUTED = 1e-4
"""The rate of the test by permutation, whose cost is one over it."""
SHOWN = 4
"""Images of each label that are kept to be looked at."""


@dataclass(frozen=True)
class Allowed:
    """How far off counts as equal, or as trained.

    Attributes:
        accuracy: the share of images in which the classifier sees the label asked for, against that of held-out ones.
        labels: total variation of the labels of images that were made without one, from those learnt from.
        frechet: of the features, over their variance, more than held-out images have.
    """

    accuracy: float
    labels: float
    frechet: float


EQUAL = Allowed(accuracy=0.03, labels=0.05, frechet=0.02)
LIMIT = Allowed(accuracy=0.25, labels=0.25, frechet=0.25)
"""Beyond it a network is not trained: every fourth image is of another class, or a quarter of the features' variance is missing."""


@dataclass(frozen=True)
class Likeness:
    r"""How like real images the network's are.

    Attributes:
        steps: S of the sampler.
        eta: of it.
        made: how many images were made of either kind.
        held_out: how many real ones they are compared with.
        finite: whether all of them are numbers; if not, nothing else is.
        accuracy: the share of images made for a label in which the classifier sees it; None for a network without labels.
        real_accuracy: of held-out images.
        by_label: the same as ``accuracy``, label by label.
        shares: of images made without a label, how many have each, as the classifier sees it; then of those learnt from.
        frechet: of features, images made and learnt from, over the variance of the latter.
        real_frechet: the same of held-out images.
        further: the first less the second.
        apart: the p-value of the energy distance.
        nearer: how often the nearest image learnt from is nearer to one made than to one held out; a half for what is alike.
        pictures: (labels, k, \*event), made; then held out.
    """

    steps: int
    eta: float
    made: int
    held_out: int
    finite: bool
    accuracy: Interval | None
    real_accuracy: Interval
    by_label: tuple[float, ...]
    shares: tuple[tuple[float, ...], tuple[float, ...]]
    frechet: Interval
    real_frechet: Interval
    further: Interval
    apart: float
    nearer: float
    pictures: tuple[Any, Any]


class Classifier:
    """A perceptron that has learnt the labels of real images.

    Args:
        data: images, of which those that are held out are left alone.
        seed: of its weights.

    Raises:
        MisuseError: if scikit-learn is not installed.
    """

    def __init__(self, data: Images, seed: int) -> None:
        try:
            from sklearn.exceptions import ConvergenceWarning
            from sklearn.neural_network import MLPClassifier
        except ImportError:
            raise MisuseError("images are judged by a classifier of scikit-learn: pip install scikit-learn.") from None
        some = np.random.default_rng(seed).permutation(len(data.train))[:MOST_LEARNT]
        perceptron = MLPClassifier((HIDDEN,), max_iter=ROUNDS, random_state=seed, learning_rate_init=3e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it need not be the best
            perceptron.fit(rows(data.scaled(data.train[some])), np.asarray(data.train_labels[some]))
        self.perceptron = perceptron

    def labels(self, images: Any) -> Any:
        """The likeliest label of each, (n,)."""
        return self.perceptron.predict(rows(images))

    def features(self, images: Any) -> Numbers:
        """(n, HIDDEN), what the hidden layer says."""
        found: Numbers = np.maximum(rows(images) @ self.perceptron.coefs_[0] + self.perceptron.intercepts_[0], 0.0)
        return found


@dataclass(frozen=True)
class Drawn:
    """Images that the network has made, and what they are compared with, all scaled.

    Attributes:
        asked: the labels that were asked for, (n,); empty for a network without labels.
        told: images made for them.
        free: images made without a label.
        data: the real ones.
    """

    asked: Any
    told: Numbers
    free: Numbers
    data: Images

    @cached_property
    def finite(self) -> bool:
        """Whether all are numbers."""
        return bool(np.isfinite(self.told).all() and np.isfinite(self.free).all())

    @cached_property
    def learnt_from(self) -> Numbers:
        """Real images that the network knows."""
        return np.asarray(self.data.scaled(self.data.train[:MOST_LEARNT]), np.float64)

    @cached_property
    def held_out(self) -> Numbers:
        """Real images that it does not."""
        return np.asarray(self.data.scaled(self.data.test), np.float64)


def likeness(unlabelled: Any, labelled: Any, data: Images, table: Numbers, budget: Budget, key: Array) -> Likeness:
    """Make images and compare them.

    Args:
        unlabelled: the network without a label, as a tree of arrays.
        labelled: ``labelled(x_t, abar_t, label)``; None where the network takes none.
        data: what it was trained on.
        table: abar_0 = 1 > ... > abar_T.
        budget: how many images, S and eta: the largest of each.
        key: of the draws, by the reference sampler.
    """
    S, eta = min(max(budget.steps), table.size - 1), max(budget.etas)
    drawn = _drawn(unlabelled, labelled, data, spaced(table, S), eta, budget, key)
    rate = budget.rates.shared_among(QUESTIONS).false_alarm
    judge = Classifier(data, budget.seed)
    right = judge.labels(drawn.held_out) == np.asarray(data.test_labels)
    shown = (
        _by_label(drawn.told, drawn.asked, data.classes),
        _by_label(drawn.held_out, np.asarray(data.test_labels), data.classes),
    )
    frequencies = np.bincount(np.asarray(data.train_labels), minlength=data.classes) / len(data.train)
    nothing = Interval(np.nan, np.nan, np.nan)
    accuracy, far, apart, nearer = nothing, (nothing, nothing, nothing), 0.0, np.nan
    by_label: tuple[float, ...] = ()
    seen: tuple[float, ...] = ()
    if drawn.finite:
        hits = judge.labels(drawn.told) == drawn.asked if drawn.asked.size else np.zeros(0, bool)
        accuracy = proportion(hits, rate)
        by_label = tuple(float(hits[drawn.asked == y].mean()) for y in range(data.classes)) if hits.size else ()
        seen = tuple(np.bincount(judge.labels(drawn.free), minlength=data.classes) / len(drawn.free))
        far = _frechet(judge.features(drawn.free), judge.features(drawn.held_out), judge.features(drawn.learnt_from), rate)
        apart = _apart(drawn, budget)
        nearer = _nearer(drawn)
    return Likeness(
        S,
        eta,
        len(drawn.free),
        len(drawn.held_out),
        drawn.finite,
        None if labelled is None else accuracy,
        proportion(right, rate),
        by_label,
        (seen, tuple(frequencies)),
        *far,
        apart,
        nearer,
        shown,
    )


def findings(seen: Likeness, budget: Budget) -> list[Finding]:
    """What is said of them, and what cannot be."""
    rate = budget.rates.shared_among(QUESTIONS).false_alarm
    unknown = Finding(
        "no-known-law",
        Status.NOTE,
        "nobody knows the law of these images: there is no floor of the loss, no exact score and no law of S steps to hold the "
        "network to. What follows says whether its images are like real ones, not how far it is from the best.",
    )
    if not seen.finite:
        return [unknown, Finding("images-finite", Status.FAIL, "some of the network's images are no finite numbers.")]
    return [unknown, *_of_classes(seen, rate), _of_features(seen, rate), _of_pairs(seen), _of_copies(seen)]


def _of_classes(seen: Likeness, rate: float) -> list[Finding]:
    labels = _labels(seen, rate)
    told = judged(
        "labels",
        labels,
        EQUAL.labels,
        f"the labels that a classifier gives to {seen.made:,} images made without one are off by {100 * labels.value:.3g} %, in "
        "total variation, from those of the images learnt from.",
        limit=LIMIT.labels,
        rate=rate,
    )
    if seen.accuracy is None:
        return [told]
    one, real = seen.accuracy, seen.real_accuracy
    gain = Interval(one.value - real.value, one.low - real.high, one.high - real.low)
    message = (
        f"a classifier sees the label that was asked for in {100 * one.value:.3g} % of {seen.made:,} images, and the right one in "
        f"{100 * real.value:.3g} % of {seen.held_out:,} that were held out."
    )
    return [judged("class-accuracy", gain, EQUAL.accuracy, message, limit=LIMIT.accuracy, rate=rate), told]


def _of_features(seen: Likeness, rate: float) -> Finding:
    message = (
        f"the Frechet distance of the classifier's features is {seen.frechet.value:.3g} of their variance between images made and "
        f"learnt from, {seen.real_frechet.value:.3g} between images held out and learnt from."
    )
    return judged("feature-distance", seen.further, EQUAL.frechet, message, limit=LIMIT.frechet, rate=rate)


def _of_pairs(seen: Likeness) -> Finding:
    told = "can be told" if seen.apart <= PERMUTED else "are not told"
    return Finding(
        "two-samples",
        Status.NOTE if seen.apart <= PERMUTED else Status.PASS,
        f"images made {told} from held-out ones by their energy distance, exact by permutation: p = {seen.apart:.2g}.",
        measured=seen.apart,
        false_alarm=PERMUTED,
    )


def _of_copies(seen: Likeness) -> Finding:
    return Finding(
        "copies",
        Status.NOTE,
        f"in {100 * seen.nearer:.3g} % of pairs the nearest image learnt from is nearer to the one made than to the one held out: "
        "50 % is what images of one law have, and 100 % copies.",
        measured=seen.nearer,
        expected=0.5,
    )


def proportion(hits: Any, rate: float) -> Interval:
    """Of true ones, with the exact interval of Clopper and Pearson (1934)."""
    n, k = len(hits), int(np.count_nonzero(hits))
    if n == 0:
        return Interval(np.nan, np.nan, np.nan)
    low = 0.0 if k == 0 else float(beta.ppf(rate / 2, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(1 - rate / 2, k + 1, n - k))
    return Interval(k / n, low, high)


def _labels(seen: Likeness, rate: float) -> Interval:
    r"""Total variation of shares of n draws from known ones.

    One draw moves it by 1/n at most, so that it keeps within :math:`\sqrt{\log(2 / \alpha) / (2n)}` of its mean (McDiarmid 1989),
    which lies above the truth by :math:`\tfrac12 \sum_y \sqrt{p_y (1 - p_y) / n} \le \tfrac12 \sqrt{K / n}`.
    """
    p, q = (np.asarray(one) for one in seen.shares)
    value, n = float(np.abs(p - q).sum() / 2), seen.made
    reach = sqrt(log(2 / rate) / (2 * n))
    return Interval(value, max(0.0, value - reach - sqrt(p.size / n) / 2), min(1.0, value + reach))


def _frechet(made: Numbers, held_out: Numbers, learnt_from: Numbers, rate: float) -> tuple[Interval, Interval, Interval]:
    """Of images made, of held-out ones, and the first less the second; over the variance of what was learnt from."""
    mean, covariance = learnt_from.mean(axis=0), np.cov(learnt_from.T)
    size = float(np.trace(covariance))

    def distance(x: Numbers) -> Interval:
        usable = x[: len(x) // BLOCKS * BLOCKS]
        ones = np.concatenate([np.ones((len(usable), 1)), usable], axis=1).reshape(-1, BLOCKS, 1 + x.shape[1])
        sums = np.einsum("ngi,ngj->gij", ones, ones, optimize=True)
        (found,) = jackknife(lambda s: frechet(*_moments(s), mean, covariance)[:, None] / size, sums, rate / 2)
        return found

    one, other = distance(made), distance(held_out)
    return one, other, Interval(one.value - other.value, one.low - other.high, one.high - other.low)


def _moments(sums: Numbers) -> tuple[Numbers, Numbers]:
    n = sums[..., :1, :1]
    mean = sums[..., 1:, 0] / n[..., 0]
    return mean, (sums[..., 1:, 1:] / n - mean[..., :, None] * mean[..., None, :]) * n / (n - 1)


def _apart(drawn: Drawn, budget: Budget) -> float:
    made, held_out = (rows(one)[:MOST_COMPARED] for one in (drawn.free, drawn.held_out))
    return energy_distance(made, held_out, permutations=permutations_needed(PERMUTED), seed=budget.seed).p_value


def _nearer(drawn: Drawn) -> float:
    known = rows(drawn.learnt_from)
    made, held = (_to_nearest(rows(one)[:MOST_COMPARED], known) for one in (drawn.free, drawn.held_out))
    below = np.searchsorted(np.sort(held), made, side="left")
    ties = np.searchsorted(np.sort(held), made, side="right") - below
    return float(1 - (below + ties / 2).mean() / held.size)


def _to_nearest(x: Numbers, known: Numbers) -> Numbers:
    squares = (x**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2 * x @ known.T
    nearest: Numbers = squares.min(axis=1)
    return nearest


def _drawn(unlabelled: Any, labelled: Any, data: Images, levels: Numbers, eta: float, budget: Budget, key: Array) -> Drawn:
    count = EACH * budget.draws
    none, nothing = jnp.full(budget.batch, data.classes), np.zeros((0, *data.event_shape))
    free_of = unlabelled if labelled is None else Partial(_told, labelled, none)  # with labels, both are one program
    free = _images(free_of, data, levels, eta, budget, named(key, "free"))
    if labelled is None:
        return Drawn(np.zeros(0, int), nothing, free, data)
    asked = np.arange(count) % data.classes
    batches = jnp.asarray(asked).reshape(-1, budget.batch)
    told = [
        _images(Partial(_told, labelled, batch), data, levels, eta, budget, named(key, f"asked {k}"), 1)
        for k, batch in enumerate(batches)
    ]
    return Drawn(asked, np.concatenate(told), free, data)


def _images(eps: Any, data: Images, levels: Numbers, eta: float, budget: Budget, key: Array, batches: int | None = None) -> Numbers:
    r"""(n, \*event), in batches."""
    parts = []
    for k in range(EACH * budget.draws // budget.batch if batches is None else batches):
        to_start, to_run = jax.random.split(jax.random.fold_in(key, k))
        x_T = jax.random.normal(to_start, (budget.batch, *data.event_shape), jnp.float32)
        parts.append(np.asarray(REFERENCE(eps, x_T, levels, eta=eta, key=to_run), np.float64))
    return np.concatenate(parts)


def _told(labelled: Any, labels: Array, x_t: Array, abar_t: Array) -> Array:
    return jnp.asarray(labelled(x_t, abar_t, labels))


def _by_label(images: Numbers, labels: Any, classes: int) -> Any:
    r"""The first few of each label, (labels, k, \*event); of images without labels, nothing."""
    if len(images) == 0:
        return images
    rows_of = [images[labels == y][:SHOWN] for y in range(classes)]
    fewest = min(len(one) for one in rows_of)
    return np.stack([one[:fewest] for one in rows_of])


def rows(images: Any) -> Numbers:
    r"""Images (n, \*event) as (n, d)."""
    flat: Numbers = np.asarray(images, np.float64).reshape(len(images), -1)
    return flat
