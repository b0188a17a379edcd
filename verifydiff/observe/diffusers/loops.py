"""How pipelines drive their schedulers.

Most do as :func:`usual`: for every t of ``timesteps``, ``scale_model_input``, the model, ``step``. The others here follow the
pipeline that ships with the scheduler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..frame import Frame


class Ask(Protocol):
    """Asks the model."""

    def __call__(self, state: Any, t: Any, at: Frame | None = None) -> Any:
        """The prediction at a state, told the time t; ``at``: what the state holds, where the scheduler's levels do not say so."""
        ...


Loop = Callable[[Any, Any, Ask, dict[str, Any]], Any]
"""``loop(scheduler, x, ask, given)``: from x_T to what is returned; ``given`` goes to every step."""


def usual(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """The loop of nearly all pipelines."""
    for t in scheduler.timesteps:
        told = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        x = scheduler.step(ask(told, t), t, x, **given).prev_sample
    return x


def batched(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """The parallel pipelines' step over a batch of times, one time at a time."""
    for t in scheduler.timesteps:
        x = scheduler.batch_step_no_noise(ask(scheduler.scale_model_input(x, t), t), t.reshape(1), x)
    return x


def told_the_next_time(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """Each step is told where it leads, the last one nothing (UnCLIPPipeline)."""
    following = [*scheduler.timesteps[1:], None]
    for t, s in zip(scheduler.timesteps, following, strict=True):
        x = scheduler.step(ask(x, t), t, x, prev_timestep=s, **given).prev_sample
    return x


def with_the_last_prediction(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """Each step is handed the prediction of the data before, and its time (CogVideoXPipeline)."""
    past, before = None, None
    for t in scheduler.timesteps:
        x, past = scheduler.step(ask(x, t), past, t, before, x, **given)
        before = t
    return x


def without_the_last_time(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """The last of the times is where the last step leads (SanaSprintPipeline)."""
    for t in scheduler.timesteps[:-1]:
        x = scheduler.step(ask(x, t), t, x, **given).prev_sample
    return x


def between_sigmas(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """A step from each sigma to the next; of sigmas handed over, the last one has a time too (LTXI2VLongMultiPromptPipeline)."""
    for t in scheduler.timesteps[: len(scheduler.sigmas) - 1]:
        x = scheduler.step(ask(x, t), t, x, **given).prev_sample
    return x


def a_time_for_each_row(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """The same, with a time for each row (WuerstchenDecoderPipeline)."""
    for t in scheduler.timesteps[:-1]:
        x = scheduler.step(ask(x, t), t.expand(x.shape[0]), x, **given).prev_sample
    return x


def nothing_known(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """Inpainting where nothing is known, so that all is sampled; a time that rises undoes a step (RePaintPipeline)."""
    import torch

    mask = torch.zeros_like(x)
    before = scheduler.timesteps[0] + 1
    for t in scheduler.timesteps:
        if t < before:
            x = scheduler.step(ask(x, t), t, x, mask, mask, **given).prev_sample
        else:
            x = scheduler.undo_step(x, before, **given)
        before = t
    return x


def predictor_corrector(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """Corrections at each sigma, then a prediction; the mean of the last one is returned (ScoreSdeVePipeline)."""
    mean = x
    for t, sigma in zip(scheduler.timesteps, scheduler.sigmas, strict=True):
        at = Frame.exploding(float(scheduler.discrete_sigmas[int(t * (len(scheduler.timesteps) - 1))]))
        for _ in range(scheduler.config.correct_steps):
            x = scheduler.step_correct(ask(x, sigma, at), x, **given).prev_sample
        output = scheduler.step_pred(ask(x, sigma, at), t, x, **given)
        x, mean = output.prev_sample, output.prev_sample_mean
    return mean


def euler_maruyama(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """A step of the reverse SDE for every time; the mean of the last one is returned (ScoreSdeVpPipeline)."""
    mean = x
    for t in scheduler.timesteps:
        x, mean = scheduler.step_pred(ask(x, t), x, t, **given)
    return mean


def churned_heun(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """Noise on top, an Euler step and its correction (KarrasVePipeline); the model is told sigma and not the half of it."""
    for t in scheduler.timesteps:
        sigma = scheduler.schedule[t]
        following = scheduler.schedule[t - 1] if t > 0 else 0
        churned, sigma_hat = scheduler.add_noise_to_input(x, sigma, **given)
        output = scheduler.step(ask(churned, sigma_hat, Frame.exploding(float(sigma_hat))), sigma_hat, following, churned)
        if following != 0:
            again = ask(output.prev_sample, following, Frame.exploding(float(following)))
            output = scheduler.step_correct(again, sigma_hat, following, churned, output.prev_sample, output.derivative)
        x = output.prev_sample
    return x


def on_a_grid(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """The model predicts a velocity for every point of a grid within the step; here the same one for all (Kandinsky6)."""
    for t in scheduler.timesteps:
        prediction = ask(x, t)
        x = scheduler.step(prediction.repeat(*[1] * (x.ndim - 1), scheduler.n_grid), t, x, **given).prev_sample
    return x


def with_the_first_noise(scheduler: Any, x: Any, ask: Ask, given: dict[str, Any]) -> Any:
    """The predicted data are noised again, always with the noise that the sampler started from (HeliosPyramidPipeline)."""
    first, times = x, scheduler.timesteps
    for k, t in enumerate(times):
        where = {"cur_sampling_step": k, "dmd_noisy_tensor": first, "all_timesteps": times}
        x = scheduler.step(ask(x, t), t, x, dmd_sigmas=scheduler.sigmas, dmd_timesteps=times, **where, **given).prev_sample
    return x
