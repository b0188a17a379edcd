"""A place among the tokens of a formula: what stands there, what comes next, what was expected instead."""

from __future__ import annotations

from collections.abc import Callable

from .tokens import NotUnderstoodError, Token, tokens
from .tree import Node

MAX_DEPTH = 40
"""Levels of brackets, indices and fractions within one another."""


class Cursor:
    """Where the reading of a formula has come to, and how deep within it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = tokens(source)
        self.at = 0
        self.depth = 0

    @property
    def here(self) -> Token:
        """The next token."""
        return self.tokens[self.at]

    @property
    def ended(self) -> int:
        """Where the last token that was taken ends."""
        return self.tokens[self.at - 1].end if self.at else 0

    def peek(self, by: int = 1) -> Token:
        """The token that many after the next; the end beyond it."""
        return self.tokens[min(self.at + by, len(self.tokens) - 1)]

    def take(self) -> Token:
        """The next token, which is passed."""
        token = self.here
        if token.kind != "end":
            self.at += 1
        return token

    def is_sign(self, *signs: str) -> bool:
        """Whether one of these signs comes next."""
        return self.here.kind == "sign" and self.here.text in signs

    def is_command(self, *names: str) -> bool:
        """Whether one of these commands comes next."""
        return self.here.kind == "command" and self.here.text in names

    def accept(self, sign: str) -> bool:
        """Pass a sign, or a command of that name, if it comes next; tells whether it did."""
        if self.is_sign(sign) or self.is_command(sign):
            self.at += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        """Pass a sign that must come next."""
        if not self.accept(sign):
            raise self.refused(f"`{sign}` was expected")

    def refused(self, why: str = "") -> NotUnderstoodError:
        """That the next token is not understood, to be raised."""
        token = self.here
        text = self.source[token.start : token.end] or token.text
        return NotUnderstoodError(text, token.start, why)

    def deeper(self, read: Callable[[], Node]) -> Node:
        """What ``read`` reads, one level further within."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refused(f"more than {MAX_DEPTH} levels within one another")
        try:
            return read()
        finally:
            self.depth -= 1
