"""The page on samplers is typed as it stands."""

import jax
import pytest
from test_tutorials import BLOCK, DOCS, Shell

import verifydiff.samplers as samplers

PAGE = (DOCS / "samplers.md").read_text()


@pytest.fixture
def as_a_reader_has_it():
    """JAX in single precision, and promoting ranks: its defaults, in every thread."""
    before = {name: getattr(jax.config, name) for name in ("jax_enable_x64", "jax_numpy_rank_promotion")}
    jax.config.update("jax_enable_x64", False)
    jax.config.update("jax_numpy_rank_promotion", "allow")
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.mark.usefixtures("as_a_reader_has_it")
def test_the_page_does_what_it_says():
    shell = Shell()
    for language, text in BLOCK.findall(PAGE):
        assert language == "pycon"
        shell.type_python(text)


def test_the_page_names_every_sampler():
    named = [name for name, value in vars(samplers).items() if isinstance(value, type) and issubclass(value, samplers.Sampler)]
    assert [name for name in named if name not in ("Sampler", "GaussianSampler") and f"`{name}(" not in PAGE] == []
