"""Each way to break the contract ends in one clear line, as a finding and not as a traceback."""

import contextlib
import os
import time

import numpy as np
import pytest
from samplers import ABAR, BETAS

import verifydiff as vd
from verifydiff.observe import SamplerFault, observe
from verifydiff.observe.resolve import function_target
from verifydiff.verdict import Status

SCHEDULE = vd.Schedule.from_betas(BETAS)


def never_asks(denoise, x, seed):
    return x


def raises(denoise, x, seed):
    denoise(x, 99)
    return {}["missing"]


def raises_before(denoise, x, seed):
    raise RuntimeError("first line\nsecond line")


def exits(denoise, x, seed):
    raise SystemExit(5)


def ends_the_process(denoise, x, seed):
    denoise(x, 99)
    os._exit(0)


def ends_the_process_and_goes_on(denoise, x, seed):
    x = denoise(x, 99)
    with contextlib.suppress(BaseException):
        os._exit(3)
    return x


def returns_another_shape(denoise, x, seed):
    return denoise(x, 99)[:3]


def returns_none(denoise, x, seed):
    denoise(x, 99)


async def returns_a_coroutine(denoise, x, seed):
    return denoise(x, 99)


def asks_with_none(denoise, x, seed):
    return denoise(None, 99)


def returns_nan(denoise, x, seed):
    return denoise(x, 99) * np.nan


def asks_with_another_shape(denoise, x, seed):
    return denoise(x[0], 99)


def asks_with_nan(denoise, x, seed):
    return denoise(denoise(x, 99) / 0.0 * 0.0, 98)


def tells_several_times(denoise, x, seed):
    return denoise(x, np.arange(len(x)))


def tells_no_time(denoise, x, seed):
    return denoise(x, None)


def never_ends_asking(denoise, x, seed):
    while True:
        x = 0.5 * denoise(x, 50)


def never_ends_silently(denoise, x, seed):
    while True:
        pass


def swallows_everything(denoise, x, seed):
    while True:
        try:
            x = denoise(x[:1], 50)
        except Exception:
            return x


def runs_out_of_memory(denoise, x, seed):
    raise MemoryError("no more")


def interrupts_itself(denoise, x, seed):
    raise KeyboardInterrupt


def raises_the_unspeakable(denoise, x, seed):
    class Unspeakable(BaseException):
        def __str__(self):
            raise RuntimeError

    raise Unspeakable


def returns_complex(denoise, x, seed):
    return denoise(x, 99) * (1 + 1e-9j)


def returns_masked(denoise, x, seed):
    return np.ma.masked_less(denoise(x, 99), 0)


def returns_far_too_much(denoise, x, seed):
    return np.broadcast_to(denoise(x, 99)[0, 0], (10**6, 10**6))


FAULTS = [
    (runs_out_of_memory, "raised before it asked the model: MemoryError: no more"),
    (interrupts_itself, "raised before it asked the model: KeyboardInterrupt"),
    (raises_the_unspeakable, "Unspeakable: (its message cannot be read: RuntimeError)"),
    (returns_complex, "complex numbers with an imaginary part"),
    (returns_masked, "a masked array"),
    (returns_far_too_much, "returned shape (1000000, 1000000)"),
    (never_asks, "without asking the model once"),
    (raises, "raised after 1 model calls: KeyError: 'missing' ("),
    (raises_before, "raised before it asked the model: RuntimeError: first line ("),
    (exits, "SystemExit"),
    (ends_the_process, "the sampler ended the process after 1 model calls: os._exit(0) ("),
    (ends_the_process_and_goes_on, "the sampler ended the process after 1 model calls: os._exit(3) ("),
    (returns_another_shape, "returned shape (3, 4); the state has shape (64, 4)"),
    (returns_none, "the sampler returned None; the state has shape (64, 4)"),
    (returns_a_coroutine, "the sampler returned a coroutine: a sampler is a plain function, not an async one"),
    (asks_with_none, "asked the model (query 0) with None"),
    (returns_nan, "returned 256 of 256 numbers that are not finite"),
    (asks_with_another_shape, "asked the model (query 0) with shape (4,)"),
    (asks_with_nan, "query 1 after the step from t = 99 holds 256 of 256 numbers that are not finite"),
    (tells_several_times, "must tell one finite time for the whole batch, got 64 different ones"),
    (tells_no_time, "query 0"),
    (never_ends_asking, "without returning: it does not seem to end"),
    (swallows_everything, "asked the model (query 0) with shape (1, 4)"),
]


@pytest.mark.parametrize(("sample", "says"), FAULTS, ids=[sample.__name__ for sample, _ in FAULTS])
def test_a_fault_is_one_failed_finding_of_one_line(sample, says):
    report = vd.check(sample, schedule=SCHEDULE)
    (finding,) = report.findings
    assert (finding.check, finding.status) == ("behaviour", Status.FAIL)
    assert says in finding.message
    assert "\n" not in finding.message


def test_complex_numbers_without_an_imaginary_part_are_real():
    def sample(denoise, x, seed):
        return (denoise(x, 99) * (1 + 0j)).astype(complex)

    assert observe(function_target(sample, SCHEDULE)).steps == 1


def test_a_sampler_cannot_swallow_the_users_interrupt():
    import signal

    def sample(denoise, x, seed):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return denoise(x, 99)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        vd.check(sample, schedule=SCHEDULE)
    assert signal.getsignal(signal.SIGINT) is before


def test_running_out_of_time_is_told_from_never_ending():
    def slow(denoise, x, seed):
        while True:
            try:
                denoise(x, 50)
                time.sleep(0.01)
            except Exception:
                return x

    with pytest.raises(SamplerFault) as fault:
        observe(function_target(slow, SCHEDULE), timeout=0.2)
    assert fault.value.kind == "out-of-time"
    with pytest.raises(SamplerFault) as fault:
        observe(function_target(never_ends_asking, SCHEDULE))
    assert fault.value.kind == "never-ends"


def test_an_object_that_answers_no_questions_can_be_a_sampler():
    class Closed:
        def __getattr__(self, name):
            raise RuntimeError("none of your business")

        def __call__(self, denoise, x, seed):
            return denoise(x, 99)

    assert observe(function_target(Closed(), SCHEDULE)).steps == 1


def test_a_sampler_that_hangs_is_stopped_by_the_timeout():
    began = time.monotonic()
    report = vd.check(never_ends_silently, schedule=SCHEDULE, timeout=0.3)
    assert "within the time limit" in report.findings[0].message
    assert time.monotonic() - began < 5


def test_a_process_that_a_sampler_forks_off_ends():
    def sample(denoise, x, seed):
        child = os.fork()
        if child == 0:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        return denoise(x, 99)

    assert observe(function_target(sample, SCHEDULE)).steps == 1


def test_a_sampler_cannot_swallow_the_timeout():
    def stubborn(denoise, x, seed):
        while True:
            try:
                while True:
                    pass
            except Exception:
                continue

    assert "within the time limit" in vd.check(stubborn, schedule=SCHEDULE, timeout=0.3).findings[0].message


@pytest.mark.parametrize("what", ["x_init", "prediction"])
def test_changing_what_is_not_its_own_is_found(what):
    def sample(denoise, x, seed):
        original = x
        for t in reversed(range(100)):
            there = ABAR[t - 1] if t else 1.0
            eps = denoise(x, t)
            x = np.sqrt(there / ABAR[t]) * (x - np.sqrt(1 - ABAR[t]) * eps) + np.sqrt(1 - there) * eps
            if what == "prediction":
                eps *= 2
        if what == "x_init":
            original += 1
        return x

    failed = [finding for finding in vd.check(sample, schedule=SCHEDULE).findings if finding.status is Status.FAIL]
    assert [finding.check for finding in failed] == ["behaviour"]
    assert "in place" in failed[0].message


def test_times_that_depend_on_the_data_are_said():
    def sample(denoise, x, seed):
        for t in (99, 50 if x[0, 0] > 0 else 40, 10):
            eps = denoise(x, t)
            x = 0.9 * x + 0.1 * eps
        return x if x[1, 1] > 0 else 0.5 * denoise(x, 5)

    failed = [finding for finding in vd.check(sample, schedule=SCHEDULE).findings if finding.status is Status.FAIL]
    assert any("no grid" in finding.message or "affine" in finding.message for finding in failed)


def test_an_alarm_of_the_callers_own_goes_on():
    import signal

    struck = []
    before = signal.signal(signal.SIGALRM, lambda *_: struck.append(True))
    signal.setitimer(signal.ITIMER_REAL, 60)
    try:
        vd.check(never_asks, schedule=SCHEDULE)
        assert 50 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
        assert not struck
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_seed_that_is_ignored_is_found():
    def sample(denoise, x, seed):
        rng = np.random.default_rng(1)
        for t in (99, 49):
            here, there = ABAR[t], ABAR[49] if t == 99 else 1.0
            sigma = np.sqrt((1 - there) / (1 - here) * (1 - here / there))
            eps = denoise(x, t)
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there - sigma**2) * eps
            x = x + sigma * rng.standard_normal(x.shape)
        return x

    failed = [finding for finding in vd.check(sample, schedule=SCHEDULE).findings if finding.status is Status.FAIL]
    assert [finding.check for finding in failed] == ["seed"]


def test_noise_that_does_not_come_from_the_seed_is_found():
    def sample(denoise, x, seed):
        rng = np.random.default_rng(time.time_ns())
        eps = denoise(x, 99)
        return np.sqrt(0.5 / ABAR[99]) * (x - np.sqrt(1 - ABAR[99]) * eps) + 0.5 * eps + 0.5 * rng.standard_normal(x.shape)

    seed = next(finding for finding in vd.check(sample, schedule=SCHEDULE).findings if finding.check == "seed")
    assert seed.status is Status.FAIL
    assert "same seed differ" in seed.message


def test_what_a_sampler_prints_and_warns_does_not_reach_standard_output(capsys):
    import warnings

    def sample(denoise, x, seed):
        print("hello")
        warnings.warn("careful", stacklevel=1)
        return denoise(x, 99)

    vd.check(sample, schedule=SCHEDULE)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello" in captured.err
