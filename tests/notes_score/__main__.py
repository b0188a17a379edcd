"""Print how the judge of notes fares on the corpus, from the root of the repository.

``python -m tests.notes_score [PAGE ...]`` tells formula by formula what was not understood, what was called wrong though it is
right, and which misprints were missed; ``--write`` puts the sums into ``docs/notes.md``.
"""

import argparse
import time
from collections import Counter

from verifydiff.notes.page import Standing

from .corpus import PAGES, Slip, slips
from .scoring import Outcome, all_judged, outcome
from .sums import Sums, write


def tell_page(page: str) -> None:
    """What is said of a right page, and of which formulas it should not be."""
    began = time.perf_counter()
    judged = all_judged(page)
    seconds = time.perf_counter() - began
    print(f"\n== {page}: {dict(Counter(str(one.status) for one in judged))} in {seconds:.2f} s")
    for one in judged:
        if one.status in (Standing.FAILS, Standing.NOT_UNDERSTOOD):
            print(f"  {one.line:4} {one.status}: {' '.join(one.latex.split())}\n       {one.reason}")


def tell_slip(slip: Slip, result: Outcome) -> None:
    """What is said of a misprint, where it is not what should be."""
    if not result.found:
        said = "nothing is said of it" if result.wrong is None else f"{result.wrong.status}: {result.wrong.reason}"
        print(f"  not called wrong  {slip}\n       {said}")
    elif result.place != 0 and result.wrong is not None:
        said = " ;; ".join(one.latex for one in result.wrong.suggestion) or "nothing suggested"
        print(f"  not first ({result.place})  {slip}\n       {said}")
    for one in result.astray:
        print(f"  led astray by it  {slip}\n       {one.line} {' '.join(one.latex.split())}: {one.reason}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.notes_score", description=__doc__)
    parser.add_argument("page", nargs="*", default=PAGES, metavar="PAGE", help="pages of the corpus; without, all")
    parser.add_argument("--write", action="store_true", help="put the sums into docs/notes.md")
    arguments = parser.parse_args()
    for page in arguments.page:
        tell_page(page)
    results = [outcome(slip) for slip in slips() if slip.page in arguments.page]
    for result in results:
        tell_slip(result.slip, result)
    sums = Sums.of(arguments.page, results)
    print(f"\n{sums}")
    if arguments.write:
        write(sums)


main()
