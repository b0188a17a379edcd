"""The page of what precision costs is made of its record, and says nothing that the record does not show."""

from __future__ import annotations

import records
from benchmarks.precision.page import PAGE, largest, page

RECORD = records.read("precision-cpu")
SAMPLES = RECORD["results"]["samples"]


def test_the_page_is_the_one_that_its_record_makes():
    assert PAGE.read_text(encoding="utf-8") == page(RECORD), "write the page anew: python -m tests.benchmarks.precision --page"


def test_what_the_page_says_in_words_is_so_in_the_record():
    cosine, scaled = SAMPLES["cosine"], SAMPLES["scaled_linear"]
    moved = {name: largest(cells, "moved") for name, cells in cosine.items()}
    assert 6 < moved["v, bfloat16"] / moved["v, tf32"] < 10
    assert 6 < moved["v, bfloat16"] / moved["v, float16"] < 10
    assert moved["v, float32"] < 0.02 * moved["v, bfloat16"]
    assert max(largest(cosine[f"{kind}, bfloat16"]) for kind in ("v", "x0")) < 1e-3
    assert largest(scaled["eps, bfloat16"]) < 1e-3
    for kind in ("v", "x0"):
        assert 3 * moved[f"{kind}, tf32"] < moved[f"{kind}, tf32, cut off"] < moved[f"{kind}, bfloat16"]
    for state in ("v, float32, state bfloat16", "v, bfloat16, state bfloat16"):
        assert all(abs(cosine[state][at]["excess"][0]) < 1e-4 for at in ("10, 1", "50, 1", "250, 1", "1000, 1"))
    eta_1 = [cosine["eps, bfloat16"][f"{S}, 1"]["moved"] for S in (10, 50, 250, 1000)]
    assert eta_1 == sorted(eta_1, reverse=True)
    with_data = [cosine["x0, bfloat16"][f"{S}, 0"]["moved"] for S in (10, 50, 250, 1000)]
    assert with_data == sorted(with_data)


def test_the_network_of_the_record_is_moved_less_by_its_precision_than_by_its_training():
    network = RECORD["results"]["network"]
    assert max(network["moved"]["bfloat16"].values()) < 0.05 * min(one["moved"] for one in network["samples"]["float32"].values())
