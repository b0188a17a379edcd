"""Settings of the site: ``sphinx-build -W docs build/site``. Nothing here or in its pages needs a network once it is built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # for what stands beside this file

import mathjax
import plots

import verifydiff

project = "verifydiff"
author = "the verifydiff authors"
copyright = "the verifydiff authors, MIT licence"  # noqa: A001 - what Sphinx calls it
version = release = verifydiff.__version__

extensions = ["myst_parser", "sphinx_copybutton", "verifydiff.sphinx"]
exclude_patterns = ["_*"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

verifydiff_derivations = ["../derivations"]
verifydiff_pages = "reference"
verifydiff_topics = {
    "Forward process and posterior": ["forward_marginal", "ddpm_posterior"],
    "DDIM": ["ddim_family", "sigma_space", "ddim_inversion", "ddim_in_time"],
    "Predictions": [
        "predictions", "predictions_each_by_each", "predictions_agree", "predictions_one_step", "prediction_losses",
        "prediction_ends",
    ],
    "Scores and mixtures": ["score_and_tweedie", "score_matching", "gaussian_component", "gaussian_mixture"],
    "The variational bound": [
        "variational_bound", "gaussian_divergence", "bound_weights", "bound_in_snr", "bound_ends", "min_snr",
    ],
    "Variances of the reverse step": ["optimal_variance", "analytic_dpm", "variance_bounds", "learned_variance"],
    "Classifier guidance": ["conditional_noising", "guided_step", "guidance_remainder", "guided_ddim"],
    "Classifier-free guidance": [
        "classifier_free_guidance", "guidance_in_other_predictions", "guidance_rescale", "guidance_is_not_tilting",
        "guided_gaussian_flow",
    ],
    "Stochastic differential equations": [
        "brownian_motion", "fokker_planck", "linear_sde", "vp_sde", "ve_sde", "sub_vp_sde", "linear_beta", "vp_discretised",
        "reverse_sde", "probability_flow", "langevin",
    ],
    "First-order and Heun steps": ["reverse_steps", "ve_reverse_steps", "weak_order", "ode_steps", "edm_heun"],
    "Exponential integrators": [
        "half_log_snr", "exponential_integrator", "phi_functions", "dpm_solver_first", "dpm_solver_second", "dpm_solver_third",
        "dpm_solver_multistep", "dpm_solver_multistep_third", "dpm_solver_singlestep", "dpm_solver_sde", "deis", "unipc",
    ],
    "Exact laws on Gaussian data": [
        "gaussian_data", "ddim_law", "ddim_law_of_many_steps", "ddim_exact_cases", "many_steps", "frechet", "best_eta",
    ],
    "Frames: EDM, consistency, flows": [
        "frames", "edm_preconditioning", "consistency_boundary", "flow_matching", "rectified_flow", "flow_multistep",
        "flow_time_shift",
    ],
    "Schedules and grids": ["cosine_schedule", "zero_terminal_snr", "sampling_grids"],
}  # fmt: skip

html_theme = "furo"
html_title = "verifydiff"
html_static_path = ["_static", str(mathjax.fetched())]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
mathjax_path = mathjax.BUNDLE
mathjax3_config = {
    "options": {"enableMenu": False},
    "svg": {"fontCache": "global"},
    "tex": {"macros": {"E": r"\mathbb{E}"}},
}
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
pygments_dark_style = "github-dark"


def setup(app: Any) -> None:
    """Let the pictures be drawn that stand beside derivations, and where pages name them."""
    app.connect("verifydiff-figures", plots.figures)
    app.connect("source-read", plots.put_on_pages)
