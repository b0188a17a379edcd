"""Which devices of which processes a command works on, decided before anything else wakes them."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import Any

from ..verdict import MisuseError

MOST = 1024
PORTS = 2**16 - 1


def add(group: argparse._ActionsContainer, does: str) -> None:
    """Add the options; ``does`` is what several processes do together."""
    group.add_argument(
        "--devices", type=int, metavar="N", help="so many devices of this process (default: all; a CPU can be split)"
    )
    group.add_argument("--coordinator", metavar="HOST:PORT", help=f"{does} with several processes: where the first of them listens")
    group.add_argument("--processes", type=int, metavar="N", help="how many processes there are")
    group.add_argument("--process", type=int, metavar="I", help="which of them this is, from 0")


def refuse_nonsense(arguments: argparse.Namespace) -> None:
    """Nothing, if the options make sense together.

    Raises:
        MisuseError: if they do not.
    """
    if arguments.devices is not None and not 1 <= arguments.devices <= MOST:
        raise MisuseError(f"--devices must lie between 1 and {MOST}, got {arguments.devices}.")
    several = (arguments.coordinator, arguments.processes, arguments.process)
    if any(one is not None for one in several) and None in several:
        raise MisuseError("--coordinator, --processes and --process belong together.")
    if arguments.coordinator is not None and not _is_address(arguments.coordinator):
        raise MisuseError(f"--coordinator takes HOST:PORT, with a port from 1 to {PORTS}, got {arguments.coordinator[:80]!r}.")
    if arguments.processes is not None and not 0 <= arguments.process < arguments.processes:
        raise MisuseError(f"--process must lie between 0 and {arguments.processes - 1}, got {arguments.process}.")


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")  # as an IPv6 address must be, whose colons are its own
    named = host.strip("[]") and not any(letter.isspace() or (letter == ":" and not bracketed) for letter in host)
    return bool(named) and len(port) <= len(str(PORTS)) and port.isascii() and port.isdecimal() and 1 <= int(port) <= PORTS


def chosen(jax: Any, arguments: argparse.Namespace) -> tuple[Any, ...]:
    """The devices, of all processes.

    Raises:
        MisuseError: if there are not so many, or the processes do not come together.
    """
    if arguments.devices is not None:
        with suppress(RuntimeError):  # JAX is awake already, and has as many devices as it has
            jax.config.update("jax_num_cpu_devices", arguments.devices)
    if arguments.coordinator is not None:
        _join(jax, arguments)
    if arguments.devices is None:
        return tuple(jax.devices())
    if arguments.devices > jax.local_device_count():
        raise MisuseError(f"--devices {arguments.devices}: this process has {jax.local_device_count()}.")
    return tuple(device for device in jax.devices() if device in _of_its_process(jax, device)[: arguments.devices])


def _of_its_process(jax: Any, device: Any) -> list[Any]:
    return [one for one in jax.devices() if one.process_index == device.process_index]


def _join(jax: Any, arguments: argparse.Namespace) -> None:
    try:
        jax.distributed.initialize(arguments.coordinator, arguments.processes, arguments.process)
    except (RuntimeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise MisuseError(f"the processes did not come together at {arguments.coordinator}: {reason}") from None
