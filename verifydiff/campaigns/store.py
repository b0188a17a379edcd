"""Where a campaign keeps its count, so that a kill costs the time since the last save and never a draw counted twice.

At any moment the file is the last whole one (:mod:`verifydiff.disk`). It names the campaign it belongs to; a file that is
truncated, foreign or another campaign's is refused, and left as it is.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ..disk import replacing
from ..verdict import MisuseError

IDENTITY = "campaign"  # the member that names the campaign

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Store:
    """The file of one campaign.

    Attributes:
        path: the file; it need not be there yet.
        identity: all that the draws and what is counted of them follow from, as text.
    """

    path: Path
    identity: str

    def load(self) -> Arrays | None:
        """What was saved last, or None if there is no file.

        Raises:
            MisuseError: if the file is no whole state of this very campaign.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise MisuseError(f"{self.path} cannot be read: {error.strerror or error}.") from None
        try:
            with np.load(BytesIO(content), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (ValueError, OSError, EOFError, KeyError, AttributeError, zipfile.BadZipFile, zlib.error, NotImplementedError):
            raise MisuseError(f"{self.path} is no whole state of a campaign: it is truncated, or something else.") from None
        self._check_mine(arrays.pop(IDENTITY, None))
        return arrays

    def save(self, arrays: Mapping[str, Any]) -> None:
        """Put these in the place of what was saved.

        Raises:
            MisuseError: if the file cannot be written; the last one is then still there.
        """
        with replacing(self.path) as file:
            np.savez(file, allow_pickle=False, **{IDENTITY: np.array(self.identity)}, **arrays)

    def _check_mine(self, identity: Any) -> None:
        if identity is None or identity.shape != () or identity.dtype.kind != "U":
            raise MisuseError(f"{self.path} is no state of a campaign.")
        if str(identity) != self.identity:
            raise MisuseError(f"{self.path} belongs to another campaign ({_difference(str(identity), self.identity)}).")


def _difference(theirs: str, mine: str) -> str:
    """The first line in which the two identities differ, as ``seed 1, not 2``."""
    for one, other in zip(theirs.splitlines(), mine.splitlines(), strict=False):
        if one != other:
            return f"{one[:60]}, not {other.partition(' ')[2][:60]}"
    return "of another kind"
