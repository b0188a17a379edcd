"""A training goes on where it was, to the same numbers; what is not its own it refuses, and nothing poisons it."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifydiff.network import PRESETS, DivergedError, Images, Run, checkpoint, data, load, train
from verifydiff.network.data import classes, in_single
from verifydiff.network.images import SETS
from verifydiff.network.predictor import fresh
from verifydiff.network.step import _share, examples, loss
from verifydiff.network.training import Training, _planned
from verifydiff.verdict import MisuseError

from tiny_network import TINY, Hollow  # isort: skip

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The training, without an interruption."""
    return train(TINY, tmp_path_factory.mktemp("whole"))


def weights(run):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(run.network)]


def same(run, other):
    return all((one == two).all() for one, two in zip(weights(run), weights(other), strict=True))


class Killed(BaseException):
    """Nothing is caught and nothing is written any more."""


def interrupted(folder, at, **options):
    def strike(record):
        if record.step == at:
            raise Killed

    with pytest.raises(Killed):
        train(TINY, folder, tell=strike, save_after=0.0, **options)


def test_the_loss_falls_towards_the_floor_and_never_below(whole):
    assert whole.step == len(whole.history) * TINY.every == TINY.steps
    excess = [record.excess for record in whole.history]
    assert excess[-1] < excess[0]
    assert all(record.loss > record.floor > 0 and record.excess > 0 for record in whole.history)


def test_training_has_moved_the_weights_and_their_average_apart(whole):
    state = checkpoint.restored(checkpoint.newest(whole.folder)[1], skeleton(whole))
    apart = [np.abs(np.asarray(one) - np.asarray(two)).max() for one, two in pairs(state)]
    assert max(apart) > 1e-4
    assert {leaf.dtype for leaf in jax.tree.leaves((state.network, state.average))} == {np.dtype(np.float32)}


def pairs(state):
    return zip(jax.tree.leaves(state.network), jax.tree.leaves(state.average), strict=True)


def skeleton(run):
    from verifydiff.network.run import skeleton as of

    return of(run.plan, run.data)


def goes_on_from(step, folder, whole):
    """To the same weights and the same history as without an interruption."""
    assert load(folder).step == step
    again = train(TINY, folder)
    assert same(again, whole)
    assert again.history == whole.history
    assert same(load(folder), whole)


def test_after_a_kill_it_goes_on_to_the_same_numbers_bit_for_bit(whole, tmp_path):
    interrupted(tmp_path, 15)
    goes_on_from(10, tmp_path, whole)


KILLING = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from tiny_network import TINY
from verifydiff.network import train

def strike(record):
    if record.step == 15:
        os.kill(os.getpid(), signal.SIGKILL)

train(TINY, sys.argv[2], tell=strike, save_after=0.0)
"""


def test_after_a_kill_by_the_system_nothing_is_locked_and_it_goes_on_to_the_same_numbers_bit_for_bit(whole, tmp_path):
    script = [sys.executable, "-c", KILLING, str(Path(__file__).parent), str(tmp_path)]
    killed = subprocess.run(script, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=600, check=False)
    assert killed.returncode == -signal.SIGKILL
    goes_on_from(10, tmp_path, whole)


WAITING = """
import sys
sys.path.insert(0, sys.argv[1])
from tiny_network import TINY
from verifydiff.network import train

def wait(record):
    if record.step == 5:
        print("at step 5", flush=True)
        sys.stdin.readline()

train(TINY, sys.argv[2], tell=wait)
"""


def test_a_training_in_a_folder_that_another_process_trains_in_is_refused_and_spoils_nothing(whole, tmp_path):
    script = [sys.executable, "-c", WAITING, str(Path(__file__).parent), str(tmp_path)]
    first = subprocess.Popen(
        script, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout.readline() == "at step 5\n"
        before = sorted(path.name for path in tmp_path.iterdir())
        for options in ({}, {"seed": 1}):
            with pytest.raises(MisuseError, match="is being trained by another process: wait until it has ended, or"):
                train(TINY, tmp_path, **options)
        assert sorted(path.name for path in tmp_path.iterdir()) == before
        assert load(tmp_path).step == 0  # who only reads need not wait
        first.communicate("go on\n", timeout=600)
    finally:
        first.kill()
        first.wait()
    assert first.returncode == 0
    assert same(load(tmp_path), whole)
    assert same(train(TINY, tmp_path), whole)


def test_another_seed_gives_other_numbers(whole, tmp_path):
    assert not same(train(TINY, tmp_path, seed=1), whole)


def test_what_is_done_is_not_done_again(whole):
    seen = []
    assert same(train(TINY, whole.folder, tell=seen.append), whole)
    assert seen == []


def test_time_that_is_up_stops_it_with_what_is_done_kept(whole, tmp_path):
    stopped = train(TINY, tmp_path, seconds=1e-9)
    assert stopped.step == load(tmp_path).step < TINY.steps
    assert same(train(TINY, tmp_path), whole)


TOGETHER = """
import sys
sys.path.insert(0, sys.argv[1])
from tiny_network import TINY
from verifydiff.network import PRESETS
from verifydiff.cli import main
PRESETS[TINY.name] = TINY
together = ["--coordinator", sys.argv[3], "--processes", "2", "--process", sys.argv[4], "--devices", "1"]
sys.exit(main(["train", TINY.name, "--run", sys.argv[2], *together]))
"""


def test_two_processes_give_the_same_numbers_to_rounding(whole, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_COMPILATION_CACHE_DIR": ""}
    command = [sys.executable, "-c", TOGETHER, str(Path(__file__).parent), str(tmp_path), address]
    both = [subprocess.Popen([*command, str(i)], env=environment, stdout=subprocess.PIPE, text=True) for i in range(2)]
    told = [process.communicate(timeout=600)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert "tiny, 20 of 20 steps" in told[0]
    assert "steps" not in told[1]  # the first one tells
    for one, two in zip(
        load(tmp_path).history, whole.history, strict=True
    ):  # Adam blows up the rounding of weights that do nothing
        np.testing.assert_allclose([one.loss, one.train_loss], [two.loss, two.train_loss], rtol=1e-6)


def test_a_batch_that_the_devices_do_not_divide_is_refused():
    with pytest.raises(MisuseError, match="a batch of 8 cannot be shared by 3 devices: give a multiple of 3"):
        _share(8, SimpleNamespace(size=3))


# -- the model --------------------------------------------------------------------------------------------------------------


def test_a_run_answers_for_events_and_levels_of_any_lead(whole):
    x = jnp.asarray(np.random.default_rng(1).normal(size=(2, 3, 4, 4)), jnp.float32)
    found = whole.eps(x, 0.5)
    assert found.shape == x.shape
    assert found.dtype == x.dtype
    np.testing.assert_allclose(whole.eps(x[1, 2], 0.5), found[1, 2], atol=1e-5)
    np.testing.assert_allclose(whole.eps(x, jnp.full((3,), 0.5)), found, atol=1e-5)
    assert np.isfinite(whole.eps(x, jnp.array([[0.0], [1.0]]))).all()
    np.testing.assert_array_equal(whole.levels, TINY.noising.abar)
    assert whole.classes is None


def test_a_run_refuses_other_events_and_labels(whole):
    with pytest.raises(MisuseError, match=r"must end in \(4, 4\)"):
        whole.eps(jnp.zeros((4, 3)), 0.5)
    with pytest.raises(MisuseError, match="without labels"):
        whole.eps(jnp.zeros((4, 4)), 0.5, label=0)


@pytest.mark.parametrize("label", [4, -2, [0, 5], 0.5])
def test_a_label_that_there_is_not_is_refused(label):
    plan = checkpoint.Plan(PRESETS["mixture-8"], 1, 1, 0)
    run = Run(plan, data("mixture:8"), None, checkpoint.Checkpoint(plan, 0, 0.0, ()), Path())
    with pytest.raises(MisuseError, match="`label` must hold whole numbers from -1, for none, to 3"):
        run.eps(jnp.zeros((2, 8, 8)), 0.5, label)


HELD = Images(*(jnp.zeros((2, 28, 28), jnp.uint8), jnp.zeros(2, jnp.uint8)) * 2, levels=256, classes=10)


@pytest.mark.parametrize("name", ["mixture-8", "digits", "field-32", "fashion-28-large"])
def test_a_preset_can_be_differentiated_on_its_data_in_bfloat16_too(name, monkeypatch):
    monkeypatch.setitem(SETS, "fashion", lambda: HELD)  # the files need not be here
    preset = PRESETS[name]
    source = in_single(data(preset.data))

    def gradient(network, key):
        drawn = examples(preset, source, key, jnp.arange(2, dtype=jnp.int32), 2)
        return jax.value_and_grad(partial(loss, preset, jnp.bfloat16))(network, drawn)

    network = jax.eval_shape(lambda: fresh(preset, classes(source), Hollow()))
    value, slopes = jax.eval_shape(gradient, network, jax.random.key(0))
    assert value == jax.ShapeDtypeStruct((), jnp.float32)
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), slopes) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), network
    )


# -- what is refused -------------------------------------------------------------------------------------------------------------


def test_a_checkpoint_that_is_not_whole_is_passed_over_for_the_one_before(whole, tmp_path):
    interrupted(tmp_path, 20)
    newest, before = checkpoint._files(tmp_path)
    for broken in (newest.read_bytes()[:-1], newest.read_bytes()[:20], b"", flipped(newest.read_bytes())):
        newest.write_bytes(broken)
        assert load(tmp_path).step == 10
        assert checkpoint.newest(tmp_path)[0].passed_over == (newest.name,)
    assert same(train(TINY, tmp_path), whole)
    before.write_bytes(b"")


def flipped(content):
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def test_where_none_is_whole_it_says_so_and_leaves_them(tmp_path):
    (tmp_path / "step-000000005.checkpoint").write_bytes(b"half")
    with pytest.raises(MisuseError, match=r"no checkpoint in .* is whole: step-000000005\.checkpoint"):
        train(TINY, tmp_path)
    assert (tmp_path / "step-000000005.checkpoint").read_bytes() == b"half"


OTHERS = {
    "preset": ({"preset": replace(TINY, name="small")}, "its preset.name is tiny, not small"),
    "width": ({"preset": replace(TINY, size=replace(TINY.size, width=8))}, "its preset.size.width is 4, not 8"),
    "seed": ({"seed": 1}, "its seed is 0, not 1"),
    "steps": ({"steps": 21}, "its steps is 20, not 21"),
    "batch": ({"batch": 4}, "its batch is 8, not 4"),
}


@pytest.mark.parametrize(("options", "message"), OTHERS.values(), ids=OTHERS)
def test_the_folder_of_another_training_is_refused(whole, options, message):
    with pytest.raises(MisuseError, match=message):
        train(**{"preset": TINY, "folder": whole.folder} | options)


def test_the_folder_of_another_version_is_refused(whole, tmp_path):
    header, arrays = parts(whole)
    for told in ({"format": "verifydiff network, version 9"}, {"plan": header["plan"] | {"lives": 9}}):
        put(tmp_path, header | told, arrays)
        with pytest.raises(MisuseError, match="another version"):
            load(tmp_path)


def test_a_checkpoint_of_the_first_version_is_told_as_such_though_its_digest_was_of_the_arrays_alone(whole, tmp_path):
    header, arrays = parts(whole)
    first = {"format": "verifydiff network, version 1", "digest": checkpoint.hashlib.sha256(arrays).hexdigest()}
    put(tmp_path, header | first, arrays, digest=first["digest"])
    with pytest.raises(MisuseError, match="is of another version: 'verifydiff network, version 1'"):
        train(TINY, tmp_path)


def parts(run):
    line, _, arrays = checkpoint._files(run.folder)[0].read_bytes().partition(b"\n")
    return json.loads(line), arrays


def put(folder, header, arrays, digest=None):
    """Written with a digest that is right, unless another is given."""
    told = header | {"digest": digest or checkpoint.digest(header, arrays)}
    (folder / "step-000000020.checkpoint").write_bytes(json.dumps(told).encode() + b"\n" + arrays)


CHANGED = {
    "step": lambda header: {"step": 15},
    "seconds": lambda header: {"seconds": 1.0},
    "history": lambda header: {"history": [*header["history"][:-1], header["history"][-1] | {"loss": 0.9}]},
    "times": lambda header: {"plan": header["plan"] | {"preset": header["plan"]["preset"] | {"timesteps": 17}}},
    "seed": lambda header: {"plan": header["plan"] | {"seed": 1}},
    "more": lambda header: {"more": 1},
    "format": lambda header: {"format": "a picture"},
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_whatever_is_changed_in_what_a_checkpoint_says_of_itself_it_is_not_whole(whole, tmp_path, change):
    header, arrays = parts(whole)
    put(tmp_path, header | change(header), arrays, digest=header["digest"])
    for use in (load, partial(train, TINY)):
        with pytest.raises(MisuseError, match="is whole: step-000000020"):
            use(tmp_path)


UNFIT = {
    "a step below 0": lambda header: {"step": -7, "history": []},
    "a step beyond the plan's": lambda header: {"step": 70, "history": [header["history"][0] | {"step": 70}]},
    "a step that the history does not reach": lambda header: {"history": header["history"][:-1]},
    "a history before the first step": lambda header: {"step": 0},
    "a history that goes back": lambda header: {"history": [*header["history"][::-1], header["history"][-1]]},
}


@pytest.mark.parametrize("change", UNFIT.values(), ids=UNFIT)
def test_a_step_or_a_history_that_no_training_leaves_is_not_whole(whole, tmp_path, change):
    header, arrays = parts(whole)
    put(tmp_path, header | change(header), arrays)
    with pytest.raises(MisuseError, match="is whole: step-000000020"):
        load(tmp_path)


def test_a_full_disk_is_told_and_the_last_checkpoint_is_kept(tmp_path, monkeypatch):
    interrupted(tmp_path, 10)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MisuseError, match="cannot be written: No space left on device"):
        train(TINY, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_loss_that_is_no_number_stops_it_and_spoils_no_checkpoint(tmp_path):
    interrupted(tmp_path, 10)
    plan, found = _planned(tmp_path, TINY, None, None, None)
    training = Training(tmp_path, plan, load(tmp_path).data, None, found)
    training.learnt_from = jax.tree.map(lambda leaf: leaf * jnp.nan, training.learnt_from)
    with pytest.raises(DivergedError, match="the loss of step 6 is nan"):
        training.go_on(None, lambda record: None, 0.0)
    kept = load(tmp_path)
    assert kept.step == 5
    assert all(np.isfinite(leaf).all() for leaf in weights(kept))


def test_a_folder_without_a_training_is_no_run(tmp_path):
    with pytest.raises(MisuseError, match="holds no training"):
        load(tmp_path)
    with pytest.raises(MisuseError, match="there is no folder"):
        load(tmp_path / "nowhere")


SAVING = """
import sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[1])
from tiny_network import TINY
from verifydiff.network.checkpoint import Checkpoint, Plan, Record, save
for step in range(100_000):
    history = (Record(step, 1.0, None, None, None, 1.0),) if step else ()
    save(Path(sys.argv[2]), Checkpoint(Plan(TINY, 100_000, 8, 0), step, 0.0, history), np.full(200_000, step))
    if step == 1:
        print("begun", flush=True)
"""


def test_a_kill_while_it_is_written_leaves_a_whole_checkpoint(tmp_path):
    script = [sys.executable, "-c", SAVING, str(Path(__file__).parent), str(tmp_path)]
    process = subprocess.Popen(script, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)
    process.stdout.readline()
    for pause in (0.05, 0.11, 0.17):
        time.sleep(pause)
        process.send_signal(signal.SIGSTOP)
        found, arrays = checkpoint.newest(tmp_path)
        assert (checkpoint.restored(arrays, np.zeros(200_000, int)) == found.step).all()
        process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()
    process.stdout.close()
    found, arrays = checkpoint.newest(tmp_path)
    assert found.passed_over == ()
    assert (checkpoint.restored(arrays, np.zeros(200_000, int)) == found.step).all()
    assert asdict(found.plan.preset) == asdict(TINY)
