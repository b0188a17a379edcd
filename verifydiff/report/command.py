"""The command that a report can be made again with."""

from __future__ import annotations

import argparse
import shlex

from .html.elements import hides

ASIDE = frozenset({"run", "run_folder", "target", "json", "html", "jobs", "verbose"})
"""What says where a report goes and how it looks, and not what is in it."""


def again(arguments: argparse.Namespace, defaults: argparse.Namespace) -> str:
    """``verifydiff check`` with every argument that differs from its default, quoted for a shell.

    Args:
        arguments: what the command was given.
        defaults: what the same parser makes of the target alone.
    """
    return again_of("check", arguments.target, arguments, defaults)


def again_of(command: str, target: str, arguments: argparse.Namespace, defaults: argparse.Namespace) -> str:
    """The same of any command with one positional argument."""
    words: list[str] = []
    for name, value in vars(arguments).items():
        if name not in ASIDE and value != getattr(defaults, name):
            words += _given(f"--{name.replace('_', '-')}", value)
    words = [*words, "--", target] if target.startswith("-") else [target, *words]
    return " ".join(["verifydiff", command, *map(quoted, words)])


def _given(option: str, value: object) -> list[str]:
    if value is True:
        return [option]
    if isinstance(value, list):
        return [word for one in value for word in _given(option, one)]
    text = str(value)
    return [f"{option}={text}"] if text.startswith("-") or not text else [option, text]


def quoted(word: str) -> str:
    """A word as a shell takes it; with ``$'...'``, as bash and zsh know it, where a character would not show."""
    if not any(hides(character) for character in word):
        return shlex.quote(word)
    return "$'" + "".join(_escaped(character) for character in word) + "'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if not hides(character):
        return character
    if "\udc80" <= character <= "\udcff":  # a byte of the command line that was no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return f"\\U{ord(character):08x}"
