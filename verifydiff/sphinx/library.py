"""The proofs of one build: every file is read and proved once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from ..proof import Proved, prove
from ..proof.loading import read, shipped
from ..report.graph import depths
from ..report.pages import FileOfProofs, idea_of, uses
from ..verdict import MisuseError


class Library:
    """Derivations of one's own and the shipped ones.

    Args:
        roots: files and folders of one's own; the shipped ones serve if there are none.
    """

    def __init__(self, roots: Iterable[Path] = ()) -> None:
        self._roots = tuple(roots)
        self._proved: dict[Path, list[FileOfProofs]] = {}

    def at(self, path: Path) -> list[FileOfProofs]:
        """The files at a path, proved.

        Raises:
            MisuseError: if it cannot be read, holds no derivation, or one of them raises.
        """
        path = path.resolve()
        if path not in self._proved:
            self._proved[path] = [_proved_file(file) for file in read([path])]
        return self._proved[path]

    @cached_property
    def files(self) -> list[FileOfProofs]:
        """What this library is about: one's own files, or else the shipped ones; what others rest on comes first.

        Raises:
            MisuseError: as :meth:`at`.
        """
        files = {file.path.resolve(): file for root in self._roots or (shipped(),) for file in self.at(root)}
        claims = {one.id: one for file in files.values() for one in file.claims}
        edges = [(one.id, base) for one in claims.values() for base in uses(one) if base in claims and base != one.id]
        depth = depths(list(claims), edges)
        return sorted(files.values(), key=lambda file: max(depth[one.id] for one in file.claims))

    @cached_property
    def known(self) -> dict[str, Proved]:
        """Every claim that this library is about, by id; a form's own id serves for its claim, too."""
        found: dict[str, Proved] = {}
        for one in (one for file in self.files for one in file.claims):
            found.setdefault(one.id, one)
        return found

    @cached_property
    def used_by(self) -> dict[str, tuple[str, ...]]:
        """Which claims rest on a claim."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self.known.values():
            for base in uses(one):
                found[base] = (*found.get(base, ()), one.id)
        return found

    def claim(self, name: str) -> Proved:
        """The verdict on the claim of that id, one's own before a shipped one.

        Raises:
            MisuseError: if there is none.
        """
        if name in self.known:
            return self.known[name]
        others = {one.id: one for file in self.at(shipped()) for one in file.claims}
        if name in others:
            return others[name]
        near = _nearest(name, [*self.known, *others])
        raise MisuseError(f"no derivation proves {name!r}" + (f"; did you mean {near}?" if near else "."))


def _proved_file(file: object) -> FileOfProofs:
    derivations = file.derivations  # type: ignore[attr-defined]
    path = Path(derivations[0].file)
    with file.installed():  # type: ignore[attr-defined]
        return FileOfProofs(path, idea_of(path), prove(*derivations).claims)


def _nearest(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, [*names], 1)), "")
