"""The functions to copy compute what the forms compute."""

import inspect

import numpy as np
import pytest
import sympy

from verifydiff.forms import Form, every_form
from verifydiff.forms.form import Source
from verifydiff.forms.quantities import abar_s, abar_t, beta_t, in_base_letters
from verifydiff.report.code import at_levels, numpy_source


def function(form):
    names = {}
    exec(numpy_source(form), names)
    return next(value for name, value in names.items() if inspect.isfunction(value))


@pytest.mark.parametrize("form", every_form().values(), ids=lambda form: form.id)
def test_the_source_agrees_with_the_compiled_form(form, rng):
    source = numpy_source(form)
    if source is None:
        pytest.skip("NumPy has no word for a part of it")
    copied = function(form)
    symbols = {symbol.name: symbol for symbol in at_levels(form.expression).free_symbols}
    arguments = list(inspect.signature(copied).parameters)
    assert set(symbols) <= set(arguments)
    values = {name: rng.uniform(0.2, 0.9, 50) for name in arguments}
    values["abar_s"] = values.get("abar_s", rng.uniform(0.5, 0.9, 50))
    values["abar_t"] = values["abar_s"] * rng.uniform(0.2, 0.9, 50)
    compiled = sympy.lambdify(list(symbols.values()), at_levels(form.expression), "numpy")
    with np.errstate(invalid="ignore"):  # a root outside of the domain of a letter is the same nan on both sides
        np.testing.assert_allclose(
            copied(*(values[name] for name in arguments)), compiled(*(values[name] for name in symbols)), rtol=1e-10
        )


def test_it_reads_as_one_writes_it():
    form = Form("mine.rest", "what is left", "r", 1 - abar_s - beta_t, Source("me", "p. 1"))
    assert numpy_source(form) == (
        "import numpy as np\n\n\n"
        "def rest(abar_s, abar_t):\n"
        '    """what is left; me, p. 1."""\n'
        "    alpha_t = abar_t / abar_s\n"
        "    beta_t = 1 - alpha_t\n"
        "    return 1 - abar_s - beta_t\n"
    )


def test_a_title_cannot_end_the_docstring():
    form = Form("mine.x", 'a """ b \\', "r", abar_s, Source("me", "p. 1"))
    assert function(form)(0.5) == 0.5


def test_what_numpy_has_no_word_for_has_no_source():
    unknown = sympy.Function("f")(abar_t)
    assert numpy_source(Form("mine.f", "unknown", "f", unknown, Source("me", "p. 1"))) is None


def test_at_levels_leaves_no_alpha():
    assert {str(symbol) for symbol in at_levels(beta_t).free_symbols} == {"abar_s", "abar_t"}
    assert in_base_letters(abar_t) != abar_t
