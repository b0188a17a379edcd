"""Networks and samplers whose truth is known: all networks are one program, told apart by numbers."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from verifydiff.confirm import Budget, Stepwise
from verifydiff.oracles import GaussianField
from verifydiff.samplers import DDIM, GaussianSampler, Kernel, Sampler, State, sample
from verifydiff.samplers.sampler import draw
from verifydiff.schedule import Schedule

T = 100
TABLE = Schedule.linear(T, 1e-3, 0.1).abar
LAW = GaussianField.power_law((4, 4), 2.0)
BUDGET = Budget.quick(
    steps=(5, 20), etas=(0.0, 1.0), draws=128, batch=64, noised=2048, bins=6, directions=16, flow_steps=10, ode_steps=16
)


def beside(a, x):
    return jnp.broadcast_to(a, x.shape[:1]).reshape(-1, *(1,) * (x.ndim - 1))


def answer(law, scale, smooth, linear, shift, x, a):
    """The exact noise scaled; with a smooth error; mixed with the best guess of who knows no data; told another level."""
    told = jnp.interp(a, jnp.asarray(TABLE[::-1]), jnp.asarray(np.append(TABLE[1:], TABLE[-1])[::-1])) * shift + a * (1 - shift)
    right = law.eps(x, told)
    guess = jnp.sqrt(1 - beside(a, x)) * x
    return scale * ((1 - linear) * right + linear * guess) + smooth * jnp.tanh(jnp.roll(x, 1, -1))


def network(scale=1.0, smooth=0.0, linear=0.0, shift=0.0, law=LAW):
    return Partial(answer, law, *map(jnp.asarray, (scale, smooth, linear, shift)))


class Mutant(GaussianSampler):
    """DDIM, with room for one mistake."""

    def __init__(self, eta):
        self.eta = eta

    def right(self, x_t, eps_hat, abar_t, abar_s):
        return DDIM(self.eta).kernel(x_t, eps_hat, abar_t, abar_s)


class BetaForBetaTilde(Mutant):
    def kernel(self, x_t, eps_hat, abar_t, abar_s):
        mean, _ = self.right(x_t, eps_hat, abar_t, abar_s)
        return Kernel(mean, self.eta * jnp.sqrt((abar_s - abar_t) / abar_s))


class LostBar(Mutant):
    def kernel(self, x_t, eps_hat, abar_t, abar_s):
        alpha = abar_t / abar_s
        x_0 = (x_t - jnp.sqrt(1 - alpha) * eps_hat) / jnp.sqrt(alpha)
        sigma = self.eta * jnp.sqrt((1 - abar_s) / (1 - abar_t) * (1 - alpha))
        return Kernel(jnp.sqrt(abar_s) * x_0 + jnp.sqrt(1 - abar_s - sigma**2) * eps_hat, sigma)


class EtaSquared(Mutant):
    def kernel(self, x_t, eps_hat, abar_t, abar_s):
        return DDIM(self.eta**2).kernel(x_t, eps_hat, abar_t, abar_s)


class NoiseLeftOut(Mutant):
    def kernel(self, x_t, eps_hat, abar_t, abar_s):
        return Kernel(self.right(x_t, eps_hat, abar_t, abar_s).mean, 0.0)


class SigmaNotSubtracted(Mutant):
    def kernel(self, x_t, eps_hat, abar_t, abar_s):
        x_0 = (x_t - jnp.sqrt(1 - abar_t) * eps_hat) / jnp.sqrt(abar_t)
        std = self.right(x_t, eps_hat, abar_t, abar_s).std
        return Kernel(jnp.sqrt(abar_s) * x_0 + jnp.sqrt(1 - abar_s) * eps_hat, std)


class Loop(Sampler):
    """A sampler that is not only a kernel."""

    def __init__(self, eta):
        self.eta = eta

    def init(self, x_T, abar):
        return State(x_T)

    def last(self, eps, state, abar_t, *, key):
        return DDIM(self.eta).last(eps, state, abar_t, key=key)


class Counting(NamedTuple):
    x: jax.Array
    abar: jax.Array
    left: jax.Array


class KeepsTable(Loop):
    """DDIM that keeps the levels that it was told to begin with, and counts its steps down from their number."""

    def init(self, x_T, abar):
        return Counting(x_T, abar, jnp.asarray(len(abar) - 1))

    def step(self, eps, state, abar_t, abar_s, *, key):
        k = len(state.abar) - 1 - state.left
        t, s = state.abar[k], state.abar[k + 1]
        kernel = DDIM(self.eta).kernel(state.x, eps(state.x, t), t, s)
        return Counting(draw(kernel, key=key), state.abar, state.left - 1)

    def last(self, eps, state, abar_t, *, key):
        return DDIM(self.eta).last(eps, State(state.x), state.abar[-2], key=key)


class OfNoise(Loop):
    """DDIM whose noise is drawn by a rule of its own."""

    def noise(self, key, like):
        return jax.random.normal(key, like.shape, like.dtype)

    def step(self, eps, state, abar_t, abar_s, *, key):
        mean, std = DDIM(self.eta).kernel(state.x, eps(state.x, abar_t), abar_t, abar_s)
        return State(mean + std * self.noise(key, mean))


class SharedByNeighbours(OfNoise):
    def noise(self, key, like):
        width = like.shape[-1]
        half = jax.random.normal(key, (*like.shape[:-1], -(-width // 2)), like.dtype)
        return jnp.repeat(half, 2, axis=-1)[..., :width]


class SharedByAll(OfNoise):
    def noise(self, key, like):
        return jnp.broadcast_to(jax.random.normal(key, (len(like), *(1,) * (like.ndim - 1)), like.dtype), like.shape)


class SharedInMagnitude(OfNoise):
    def noise(self, key, like):
        size, sign = jax.random.split(key)
        return jnp.abs(SharedByAll.noise(self, size, like)) * jax.random.rademacher(sign, like.shape, like.dtype)


class OfSigns(OfNoise):
    def noise(self, key, like):
        return jax.random.rademacher(key, like.shape, like.dtype)


class Uniform(OfNoise):
    def noise(self, key, like):
        return jax.random.uniform(key, like.shape, like.dtype, -1, 1) * 3**0.5


class OneOfSigns(OfNoise):
    """Of the first number of each row."""

    def noise(self, key, like):
        z = jax.random.normal(key, (len(like), like[0].size), like.dtype)
        return z.at[:, 0].set(jnp.sign(z[:, 0])).reshape(like.shape)


class HalvesAlike(OfNoise):
    sign = 1.0

    def noise(self, key, like):
        z = jax.random.normal(key, (-(-len(like) // 2), *like.shape[1:]), like.dtype)
        return jnp.concatenate([z, self.sign * z])[: len(like)]


class Antithetic(HalvesAlike):
    sign = -1.0


class OneRowTwice(OfNoise):
    def noise(self, key, like):
        z = jax.random.normal(key, like.shape, like.dtype)
        return z.at[-3].set(z[1])


class HalvesAlittleAlike(OfNoise):
    def noise(self, key, like):
        fresh, shared = jax.random.split(key)
        return 0.8 * jax.random.normal(fresh, like.shape, like.dtype) + 0.6 * HalvesAlike.noise(self, shared, like)

    sign = 1.0


class WrongTime(Loop):
    def step(self, eps, state, abar_t, abar_s, *, key):
        return State(draw(DDIM(self.eta).kernel(state.x, eps(state.x, abar_s), abar_t, abar_s), key=key))


class OffByOneStride(Loop):
    def step(self, eps, state, abar_t, abar_s, *, key):
        table = jnp.asarray(TABLE)
        index = jnp.argmin(jnp.abs(table - abar_s))
        return State(draw(DDIM(self.eta).kernel(state.x, eps(state.x, abar_t), abar_t, table[jnp.maximum(index - 1, 0)]), key=key))


def whole_loop(eps, x_T, abar, *, eta, key):
    """DDIM as a whole loop."""
    return sample(DDIM(eta=eta), eps, x_T, abar, key=key)


def single(eps, x_T, abar, *, eta, key):
    """The same in float32."""
    return whole_loop(eps, x_T.astype(jnp.float32), abar.astype(jnp.float32), eta=eta, key=key)


def single_inside(eps, x_T, abar, *, eta, key):
    return single(eps, x_T, abar, eta=eta, key=key).astype(x_T.dtype)


def stepwise(kind):
    return Stepwise(kind, T)
