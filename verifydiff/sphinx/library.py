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
        self._elsewhere: dict[Path, list[FileOfProofs]] = {}

    def at(self, path: Path) -> list[FileOfProofs]:
        """The files at a path, proved.

        Raises:
            MisuseError: if it cannot be read, holds no derivation, or one of them raises.
        """
        path = path.resolve()
        within = [file for file in self.files if file.path.resolve() == path or path in file.path.resolve().parents]
        if within:
            return within
        if path not in self._elsewhere:
            self._elsewhere[path] = _proved(path)
        return self._elsewhere[path]

    @cached_property
    def files(self) -> list[FileOfProofs]:
        """What this library is about: one's own files, or else the shipped ones; what others rest on comes first.

        Raises:
            MisuseError: as :meth:`at`.
        """
        files = _proved(*(self._roots or (shipped(),)))
        claims = {one.id: one for file in files for one in file.claims}
        edges = [(one.id, base) for one in claims.values() for base in uses(one) if base in claims and base != one.id]
        depth = depths(list(claims), edges)
        return sorted(files, key=lambda file: max(depth[one.id] for one in file.claims))

    @cached_property
    def known(self) -> dict[str, Proved]:
        """Every claim that this library is about, by id, and by that of its form."""
        claims = [one for file in self.files for one in file.claims]
        return {one.form.id: one for one in claims if one.form} | {one.id: one for one in claims}

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


def _proved(*paths: Path) -> list[FileOfProofs]:
    """The files at the paths; they are proved in one go, since they may rest on each other."""
    verdicts = {one.id: one for one in prove(*paths).claims}
    files = []
    for file in read(paths):
        path = Path(file.derivations[0].file)
        files.append(FileOfProofs(path, idea_of(path), tuple(verdicts[one.id] for one in file.derivations)))
    return files


def _nearest(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, [*names], 1)), "")
