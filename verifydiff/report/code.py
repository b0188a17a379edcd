"""A form as a NumPy function to copy: readable source over the levels that a sampler's tables hold."""

from __future__ import annotations

import ast
import re

import sympy
from sympy.printing.numpy import NumPyPrinter

from ..forms import Form
from ..forms.quantities import Quantity, abar_s, abar_t, alpha_t, in_base_letters

WIDTH = 88
_IN_LEVELS = {alpha_t: abar_t / abar_s}
"""What a table does not hold, by what it holds."""


def numpy_source(form: Form) -> str | None:
    """The source of a function that computes the form; None where NumPy has no word for a part of it.

    Its arguments are the levels first, then the other letters by name. Abbreviations, such as beta_t, are computed first.
    """
    steps = _abbreviations(form.expression)
    known = {symbol for symbol, _ in steps}
    used = set(form.expression.free_symbols).union(*(value.free_symbols for _, value in steps)) - known
    arguments = sorted((symbol.name for symbol in used), key=_place)
    try:
        lines = [f"{symbol.name} = {_printed(value)}" for symbol, value in steps]
        lines += _returned(form.expression)
    except (NotImplementedError, sympy.printing.codeprinter.PrintMethodNotImplementedError, ValueError, SyntaxError):
        return None
    name = re.sub(r"\W", "_", form.id.rpartition(".")[2])
    head = [f"def {name}({', '.join(arguments)}):", f'    """{_quoted(f"{form.title}; {form.source}")}."""']
    head += [f"    {line}" for line in lines]
    return "\n".join(["import numpy as np", "", "", *head]) + "\n"


def _quoted(words: str) -> str:
    """Words that cannot end the docstring that they stand in."""
    return " ".join(words.split()).replace("\\", "\\\\").replace('"', "'")


def _abbreviations(expression: sympy.Expr) -> list[tuple[sympy.Symbol, sympy.Expr]]:
    """The letters that are computed from others, in the order in which they can be."""
    found: dict[sympy.Symbol, sympy.Expr] = {}

    def visit(symbol: sympy.Symbol) -> None:
        definition = _IN_LEVELS.get(symbol, symbol.definition if isinstance(symbol, Quantity) else None)
        if definition is None or symbol == abar_t or symbol in found:
            return
        for other in sorted(definition.free_symbols, key=str):
            visit(other)
        found[symbol] = definition

    for symbol in sorted(expression.free_symbols, key=str):
        visit(symbol)
    return list(found.items())


def _place(name: str) -> tuple[int, str]:
    levels = ("abar_s", "abar_t")
    return (levels.index(name) if name in levels else len(levels)), name


def _printed(expression: sympy.Expr) -> str:
    """The expression as Python over ``np``, spaced as one writes it by hand."""
    printer = _Printer({"strict": True, "allow_unknown_functions": False})
    return ast.unparse(ast.parse(printer.doprint(expression).replace("numpy.", "np."), mode="eval"))


class _Printer(NumPyPrinter):  # type: ignore[misc]  # SymPy carries no types
    def _as_ordered_terms(self, expression: sympy.Expr, order: str | None = None) -> list[sympy.Expr]:
        """The terms of a sum, those without a minus first, as one writes by hand."""
        terms = super()._as_ordered_terms(expression, order=order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())


def _returned(expression: sympy.Expr) -> list[str]:
    line = f"return {_printed(expression)}"
    if len(line) + 4 <= WIDTH or not expression.is_Add:
        return [line]
    terms = sorted(expression.as_ordered_terms(), key=lambda term: term.could_extract_minus_sign())
    first, *others = (_printed(term) for term in terms)
    signed = [f"- {term[1:]}" if term.startswith("-") else f"+ {term}" for term in others]
    return ["return (", f"    {first}", *(f"    {term}" for term in signed), ")"]


def at_levels(expression: sympy.Expr) -> sympy.Expr:
    """The expression over the arguments of its function: base letters, but abar_t in place of alpha_t."""
    return in_base_letters(expression).xreplace(_IN_LEVELS)
