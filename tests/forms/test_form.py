"""Forms print, compile and know their letters."""

import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import sympy

from verifydiff import forms
from verifydiff.forms import quantities as q

ALL = forms.every_form().values()


def test_a_form_prints_with_the_letters_of_the_field():
    assert (
        forms.ddpm.posterior_variance.latex() == r"\tilde\beta_t = \frac{\beta_t \left(1 - \bar\alpha_s\right)}{1 - \bar\alpha_t}"
    )


@pytest.mark.parametrize("form", ALL, ids=lambda form: form.id)
def test_every_form_has_a_source_and_compiles_by_name(form):
    assert form.source.work
    assert form.source.place
    names = sorted(symbol.name for symbol in form.expression.free_symbols)
    letters = {name: 0.5 - 0.01 * place for place, name in enumerate(names)}  # unlike values: some forms divide by a difference
    letters |= {"ve_s": 0.3} if "ve_s" in letters else {}  # and the cleaner level has less noise
    assert np.isfinite(form.numpy()(**letters))


def test_a_form_compiles_over_the_levels_of_a_table():
    variance = forms.ddpm.posterior_variance.numpy(q.abar_t, q.abar_s)
    np.testing.assert_allclose(variance(np.array([0.2, 0.5]), np.array([0.4, 1.0])), [0.6 / 0.8 * 0.5, 0.0])


def test_a_form_compiles_to_jax_and_differentiates():
    jax = pytest.importorskip("jax", reason="forms compile to JAX where it is")
    sigma = forms.ddim.sigma.jax(q.abar_t, q.abar_s, q.eta)
    value = jax.jit(sigma)(0.2, 0.4, 0.5)
    assert float(value) == pytest.approx(forms.ddim.sigma.numpy(q.abar_t, q.abar_s, q.eta)(0.2, 0.4, 0.5), rel=1e-6)
    assert float(jax.grad(sigma, argnums=2)(0.2, 0.4, 0.5)) == pytest.approx(2 * float(value), rel=1e-6)


def test_a_letter_that_is_no_argument_is_said():
    with pytest.raises(ValueError, match="eta must be among the arguments"):
        forms.ddim.sigma.numpy(q.abar_t, q.abar_s)


def test_quantities_are_equal_by_what_they_mean():
    assert q.Quantity("eta", r"\eta", q.UNIT) == q.eta
    assert q.Quantity("eta", r"\eta", q.REAL) != q.eta
    assert pickle.loads(pickle.dumps(q.abar_t)) == q.abar_t
    assert q.abar_t.is_positive
    assert q.ve_s.is_nonnegative


def test_letters_have_an_order_though_two_pages_have_made_them():
    """SymPy sorts the terms of a sum: equal letters are then compared item by item, and none may be without an order."""
    one, other = (q.Quantity("b", r"\beta", q.PROPER_FRACTION) for _ in range(2))
    assert one is not other
    assert one.compare(other) == 0
    assert one.compare(q.Quantity("b", r"\beta", q.REAL)) != 0
    defined = q.Quantity("b", r"\beta", q.PROPER_FRACTION, definition=q.abar_t)
    assert {one.compare(defined), defined.compare(one)} == {-1, 1}
    assert q.Quantity("n", definition=sympy.Integer(0)) != q.Quantity("n")


def test_base_letters_and_levels_say_the_same():
    form = forms.ddpm.posterior_mean.expression
    base = q.in_base_letters(form)
    assert base.free_symbols == {q.abar_s, q.alpha_t, q.x_0, q.x_t}
    levels = q.in_levels(form)
    assert levels.free_symbols == {q.abar_s, q.abar_t, q.x_0, q.x_t}
    point = {q.abar_s: sympy.Rational(1, 2), q.alpha_t: sympy.Rational(1, 3), q.x_0: 2, q.x_t: 5}
    at_levels = {**point, q.abar_t: sympy.Rational(1, 6)}
    assert sympy.simplify(base.xreplace(point) - levels.xreplace(at_levels)) == 0


def test_the_table_holds_the_forms_of_all_topics_once():
    table = forms.every_form()
    assert list(table) == sorted(table)
    assert {"ddpm.posterior_variance", "forward.noised", "euler.step", "score.kernel", "ddim.sigma"} <= set(table)
    assert all(form.id == name for name, form in table.items())
    assert forms.every_letter()["abar_t"] == q.abar_t


def test_two_forms_of_one_name_are_refused(monkeypatch):
    twin = SimpleNamespace(one=forms.ddpm.posterior_variance, other=[replace(forms.ddpm.posterior_variance, title="another")])
    monkeypatch.setattr("verifydiff.forms.table.topics", lambda: [twin])
    with pytest.raises(ValueError, match=r"two different forms are called ddpm.posterior_variance"):
        forms.every_form.__wrapped__()
