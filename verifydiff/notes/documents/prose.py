r"""Is it mathematics or money? A dollar may open a formula or name a price, and ``\[`` may be a bracket that somebody escaped.

What stands between two dollars is prose, and the dollars are dollars, if two words follow one another outside of ``\text`` and its
like, or if it holds the punctuation of a sentence in Chinese.
"""

from __future__ import annotations

import re

COMMAND_WITH_WORDS = re.compile(
    r"\\(?:text\w*|mathrm|mathbf|mathit|mathsf|mbox|hbox|operatorname\*?|label|tag\*?|e?q?ref|begin|end|intertext|mathop)\s*\{[^{}]*\}"
)
COMMAND = re.compile(r"\\[a-zA-Z]+\*?|\\.", re.DOTALL)
TWO_WORDS = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,}[,;.]?\s+[A-Za-z]{2,}(?![A-Za-z])")
SENTENCE = re.compile(r"[，。；？！、：]")
OF_MATHEMATICS = re.compile(r"[\\_^=<>≤≥∼+*/|()∑∏∫√-]")
WORDS_OF_OPERATORS = re.compile(
    r"\b(?:exp|log|ln|sin|cos|tan|max|min|det|tr|Var|Cov|KL|SNR|var|cov|if|for|all|and|or|over|sup|inf)\b"
)
LONGEST_LOOKED_AT = 4000


def reads_as_prose(content: str) -> bool:
    """Whether what stands between two delimiters is a stretch of a sentence."""
    bare = COMMAND.sub(" ", COMMAND_WITH_WORDS.sub(" ", content[:LONGEST_LOOKED_AT]))
    return bool(TWO_WORDS.search(WORDS_OF_OPERATORS.sub(" ", bare)) or SENTENCE.search(bare))


def paragraph_of_prose(content: str) -> bool:
    """Whether one of several paragraphs is words alone, so that the delimiters around them belong to two formulas."""
    paragraphs = re.split(r"\n[ \t]*\n", content[:LONGEST_LOOKED_AT])
    return any(part.strip() and (reads_as_prose(part) or not OF_MATHEMATICS.search(part)) for part in paragraphs)


def is_money(content: str, behind: str) -> bool:
    """Whether two single dollars with this between them, and this behind them, are no delimiters."""
    if behind[:1].isdigit() or not content.strip() or "`" in content:
        return True
    spaced = content[0].isspace() or content[-1].isspace()
    return reads_as_prose(content) or (spaced and not OF_MATHEMATICS.search(content))
