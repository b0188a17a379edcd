"""The table of checks: every finding that the code can make carries an id of it, and every id of it is made somewhere."""

import ast
from pathlib import Path

import numpy as np
import pytest
from samplers import BETAS, RIGHT, ddim

import verifydiff as vd
import verifydiff.checks
from verifydiff.checks import Allowed
from verifydiff.checks.table import CHECKS

SOURCES = sorted(Path(verifydiff.checks.__file__).parent.rglob("*.py"))


class Ids(ast.NodeVisitor):
    """The ids that code gives to findings: words as they stand, and names followed to the words they can stand for."""

    def __init__(self, sources):
        self.made, self.unclear = {}, []
        self.calls, self._inside = [], []
        for source, text in sources:
            self.source = source
            self.visit(ast.parse(text))
        for call, inside, source in self.calls:
            if getattr(call.func, "id", getattr(call.func, "attr", None)) == "Finding":
                argument = call.args[0] if call.args else next(k.value for k in call.keywords if k.arg == "check")
                self._follow(argument, inside, f"{source}:{call.lineno}")

    def visit_FunctionDef(self, node):
        self._inside.append(node)
        self.generic_visit(node)
        self._inside.pop()

    def visit_Call(self, node):
        self.calls.append((node, self._inside[-1] if self._inside else None, self.source))
        self.generic_visit(node)

    def _follow(self, argument, inside, where):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            self.made.setdefault(argument.value, where)
            return
        found = branches(argument)
        if isinstance(argument, ast.Name) and inside is not None:
            parameters = [a.arg for a in inside.args.args]
            if argument.id in parameters:
                self._follow_calls(inside.name, argument.id, parameters.index(argument.id))
                return
            found = [node.value for node in ast.walk(inside) if isinstance(node, ast.Assign) and assigns(node, argument.id)]
        if not found:
            self.unclear.append(where)
        for value in found:
            self._follow(value, inside, where)

    def _follow_calls(self, function, name, place):
        for call, caller, source in self.calls:
            if getattr(call.func, "id", getattr(call.func, "attr", None)) == function:
                given = call.args[place] if place < len(call.args) else next(k.value for k in call.keywords if k.arg == name)
                self._follow(given, caller, f"{source}:{call.lineno}")


def branches(expression):
    """What `a if x else b` and `{x: a}.get(x, b)` can be."""
    if isinstance(expression, ast.IfExp):
        return [expression.body, expression.orelse]
    if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute) and expression.func.attr == "get":
        table = expression.func.value
        return [*table.values, *expression.args[1:]] if isinstance(table, ast.Dict) else []
    return []


def assigns(node, name):
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def test_the_code_makes_the_ids_of_the_table_and_no_others():
    found = Ids((path.name, path.read_text()) for path in SOURCES)
    assert found.unclear == []
    assert set(found.made) == set(CHECKS)


def test_an_id_is_found_through_arguments_branches_and_names():
    text = """
def make(check, fault):
    return Finding(check, fault)

def some(fault, odd):
    kind = "a" if odd else "b"
    yield make(kind, fault)
    yield behaviour.make("c", fault)
    yield Finding(check="d", status=fault)
    other = {1: "e", 2: "f"}.get(odd, "g")
    yield make(other, fault)

def unclear(fault):
    yield Finding(f"{fault}-h", fault)
"""
    found = Ids([("here.py", text)])
    assert set(found.made) == set("abcdefg")
    assert found.unclear == ["here.py:14"]


def silent(denoise, x, seed):
    return x


def outside(denoise, x, seed):
    denoise(x, 100)
    return x


def wrong(denoise, x, seed):
    for t in (60, 30):
        x = 0.5 * x + 0.4 * np.tanh(denoise(x, t)) + np.random.default_rng().standard_normal(x.shape)
    return x


@pytest.mark.parametrize(
    "sample", [*RIGHT.values(), ddim(0.5, 9), silent, outside, wrong], ids=[*RIGHT, "ddim", "silent", "outside", "wrong"]
)
def test_what_a_sampler_is_told_is_in_the_table(sample):
    allowed = Allowed("pairing", "for the sake of it")
    report = vd.check(sample, schedule=vd.Schedule.from_betas(BETAS), allow=(allowed,))
    assert {finding.check for finding in report.findings} <= set(CHECKS)


@pytest.mark.parametrize("question", CHECKS.values(), ids=CHECKS)
def test_a_question_is_one_line_that_asks(question):
    assert question.endswith("?")
    assert "\n" not in question
