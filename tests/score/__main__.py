"""Write ``docs/mutation-score.md`` anew, from the root of the repository: ``python -m tests.score``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where `samplers` and `mutants` are, as pytest has it

from score.page import PAGE, page

PAGE.write_text(page())
print(f"wrote {PAGE}")
