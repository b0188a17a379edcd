r"""The pictures of the derivation reference, by the claim or the file of derivations that they stand beside.

A picture is a function that draws on axes, under ``@beside``:

.. code-block:: python

    @beside("ddpm.posterior_variance", "What it shows, with :math:`\beta_t` and words.")
    def variances(axes):
        ...

All numbers come from the closed forms themselves. A picture is an SVG whose lines are readable on light and on dark paper,
and whose text and axes have the colour of the words around them.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as Xml

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from verifydiff import Schedule
from verifydiff.forms import ddim, ddpm, euler
from verifydiff.forms.quantities import abar_s, abar_t, eta, sigma_t, x_0, x_t

mpl.use("svg")

INK = "#123456"
"""Stands for the colour of the words around the picture; replaced once it is drawn."""
COLOURS = ["#3b82f6", "#f97316", "#10b981", "#d946ef", "#a3a3a3"]
SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "verifydiff",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "mathtext.fontset": "stix",
}

Draw = Callable[[Any], None]
PICTURES: dict[str, list[tuple[Draw, str]]] = {}


def beside(name: str, caption: str) -> Callable[[Draw], Draw]:
    """Let a picture stand beside the claim of that id, or on top of the page of the file of that name (without ``.py``)."""

    def register(draw: Draw) -> Draw:
        PICTURES.setdefault(name, []).append((draw, caption))
        return draw

    return register


def figures(_: object, name: str) -> list[tuple[str, str]]:
    """The pictures that stand beside a claim or a file, as pairs of SVG and caption; what Sphinx's event asks for."""
    return [(svg(draw, f"{name}-{number}"), caption) for number, (draw, caption) in enumerate(PICTURES.get(name, ()))]


def svg(draw: Draw, name: str) -> str:
    """The picture as an element for the middle of a page."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(6.4, 3.0), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        draw(axes)
        if axes.get_legend_handles_labels()[1]:
            axes.legend()
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(drawn.getvalue().replace(INK, "currentColor"), name)


def _inline(drawn: str, name: str) -> str:
    """Without prolog and metadata, as wide as the page lets it be, and with ids that no other picture has."""
    Xml.register_namespace("", "http://www.w3.org/2000/svg")
    Xml.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = Xml.fromstring(drawn)  # noqa: S314 - our own drawing
    prefix = name.replace(".", "-")
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag.endswith("metadata")]:
            parent.remove(child)
        for key, value in parent.attrib.items():
            if key == "id":
                parent.set(key, f"{prefix}-{value}")
            elif value.startswith("#") and key.endswith("href"):
                parent.set(key, f"#{prefix}-{value[1:]}")
            else:
                parent.set(key, value.replace("url(#", f"url(#{prefix}-"))
    root.attrib.pop("width")
    root.attrib.pop("height")
    root.set("role", "img")
    return Xml.tostring(root, encoding="unicode")


# -- what they are drawn from ----------------------------------------------------------------------------------------------

SCHEDULES = {name: Schedule.named(name, 1000) for name in ("linear", "scaled_linear", "cosine")}
LEVELS = SCHEDULES["linear"].abar
T = np.arange(1, len(LEVELS))
LEVEL_T, LEVEL_S = LEVELS[1:], LEVELS[:-1]


def weight(form: Any, of: Any, *arguments: Any) -> Any:
    """The weight of a letter in a form that is linear in it and in x_0 and x_t, over the levels."""
    unit = {letter: int(letter == of) for letter in (x_0, x_t)}
    expression = form.expression.xreplace(unit)
    return type(form)(form.id, form.title, form.symbol, expression, form.source).numpy(*arguments)


@beside(
    "forward_marginal",
    r"Signal :math:`\sqrt{\bar\alpha_t}` and noise :math:`\sqrt{1 - \bar\alpha_t}` on three schedules of 1000 steps.",
)
def signal_and_noise(axes: Any) -> None:
    for number, (name, schedule) in enumerate(SCHEDULES.items()):
        t = np.arange(len(schedule.abar))
        axes.plot(t, np.sqrt(schedule.abar), color=COLOURS[number], label=f"signal, {name.replace('_', ' ')}")
        axes.plot(t, np.sqrt(1 - schedule.abar), color=COLOURS[number], linestyle=":", label=f"noise, {name.replace('_', ' ')}")
    axes.set(xlabel="t", xlim=(0, 1000), ylim=(0, 1.02))


@beside(
    "ddpm.posterior_mean", "What the posterior mean weighs the data and the noisy state with: linear schedule, one step at a time."
)
def posterior_weights(axes: Any) -> None:
    axes.plot(T, weight(ddpm.posterior_mean, x_0, abar_s, abar_t)(LEVEL_S, LEVEL_T), label="weight of $x_0$")
    axes.plot(T, weight(ddpm.posterior_mean, x_t, abar_s, abar_t)(LEVEL_S, LEVEL_T), label="weight of $x_t$")
    axes.set(xlabel="t", xscale="log", xlim=(1, 1000))


@beside(
    "ddpm.posterior_variance",
    r"The posterior's variance :math:`\tilde\beta_t` and its upper bound :math:`\beta_t`: they differ where little noise is left.",
)
def variances(axes: Any) -> None:
    small = ddpm.posterior_variance.numpy(abar_s, abar_t)(LEVEL_S, LEVEL_T)
    axes.plot(T, 1 - LEVEL_T / LEVEL_S, label=r"$\beta_t$")
    axes.plot(T[1:], small[1:], label=r"$\tilde\beta_t$")  # at t = 1 it is 0
    axes.set(xlabel="t", xscale="log", yscale="log", xlim=(1, 1000))


@beside(
    "ddim_family",
    r"The weight of :math:`x_t` in the step over fifty times of the linear schedule: eta moves noise from it to fresh draws.",
)
def ddim_weights(axes: Any) -> None:
    times = np.arange(1000, -1, -20)
    here, there = LEVELS[times[:-1]], LEVELS[times[1:]]
    for value in (0.0, 0.5, 1.0):
        scale = ddim.sigma.numpy(abar_s, abar_t, eta)(there, here, value)
        axes.plot(times[:-1], ddim.x_t_coefficient.numpy(abar_s, abar_t, sigma_t)(there, here, scale), label=rf"$\eta = {value:g}$")
    axes.set(xlabel="t", ylabel="weight of $x_t$", xlim=(0, 1000))


@beside("ddim.sigma", "The scale of the fresh noise over fifty times of the linear schedule.")
def ddim_scales(axes: Any) -> None:
    times = np.arange(1000, -1, -20)
    here, there = LEVELS[times[:-1]], LEVELS[times[1:]]
    for value in (0.25, 0.5, 1.0):
        axes.plot(times[:-1], ddim.sigma.numpy(abar_s, abar_t, eta)(there, here, value), label=rf"$\eta = {value:g}$")
    axes.set(xlabel="t", ylabel=r"$\sigma_t$", xlim=(0, 1000))


@beside(
    "sigma_space",
    r"Noise over signal, :math:`\sigma(t) = \sqrt{(1 - \bar\alpha_t) / \bar\alpha_t}`, on three schedules of 1000 steps.",
)
def sigmas(axes: Any) -> None:
    for name, schedule in SCHEDULES.items():
        levels = schedule.abar[1:]
        axes.plot(np.arange(1, len(levels) + 1), np.sqrt((1 - levels) / levels), label=name.replace("_", " "))
    axes.set(xlabel="t", yscale="log", xlim=(0, 1000))


@beside(
    "euler.sigma_down",
    "Where the ancestral step goes down to, and the noise it adds on top: together they make up the level at s (25 steps).",
)
def ancestral(axes: Any) -> None:
    times = np.arange(1000, 39, -40)
    here, there = LEVELS[times[:-1]], LEVELS[times[1:]]
    axes.plot(times[:-1], np.sqrt((1 - there) / there), label=r"$\sigma(s)$", color=COLOURS[4])
    axes.plot(times[:-1], euler.sigma_down.numpy(abar_s, abar_t)(there, here), label=r"$\sigma_{\rm down}$")
    axes.plot(times[:-1], euler.sigma_up.numpy(abar_s, abar_t)(there, here), label=r"$\sigma_{\rm up}$")
    axes.set(xlabel="t", yscale="log", xlim=(0, 1000))
