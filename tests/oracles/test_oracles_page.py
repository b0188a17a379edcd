"""The examples of the page about the data run as they stand, and say what the page says of them."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "oracles.md"


def test_the_examples_run_as_they_stand():
    names: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    assert names["eps"].shape == (1000, 2)
    assert 0.9 < float(names["right"]) <= 1
    assert 0 < float(names["error"]) < float(names["floor"]) < 1
    assert 1e-3 < float(names["distance"]) < 1


def test_every_method_of_the_table_is_there():
    from verifydiff.oracles import DiagonalGaussian, GaussianMixture

    table = re.findall(r"`law\.(\w+)\(", PAGE.read_text())
    assert len(table) >= 8
    for method in table:
        assert hasattr(GaussianMixture, method) or hasattr(DiagonalGaussian, method), method
