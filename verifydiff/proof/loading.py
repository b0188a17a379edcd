r"""Finding derivations: files and folders of them, one's own and the shipped ones.

A file is run as Python, as a test runner does, under a name of its own; what it put into ``sys.modules`` and ``sys.path``
is taken out again, and is there once more while one of its derivations is proved.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

from ..verdict import MisuseError
from .derivation import Derivation, collecting


def shipped() -> Path:
    """The folder of the shipped derivations: in a checkout beside the package, in a wheel inside it."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_derivations", package.parent / "derivations"):
        if folder.is_dir():
            return folder
    raise MisuseError("the shipped derivations are not installed.")


def load(paths: Iterable[str | Path]) -> list[Derivation]:
    """All derivations of the files and folders, in order; see :func:`read`."""
    return [one for file in read(paths) for one in file.derivations]


def read(paths: Iterable[str | Path]) -> list[File]:
    """The files of derivations among the files and folders, in order.

    Raises:
        MisuseError: if a path cannot be read as Python, holds no derivation, or two claims have one id.
    """
    found: dict[str, Derivation] = {}
    files: list[File] = []
    for path in map(Path, paths):
        here = [file for file in map(File, _files(path)) if file.derivations]
        if not here:
            raise MisuseError(f"{path} holds no derivations: functions under @derivation are needed.")
        for one in (one for file in here for one in file.derivations):
            other = found.setdefault(one.id, one)
            if other is not one:
                raise MisuseError(f"two claims are called {one.id}: {place(other)} and {place(one)}; give one an `id=`.")
        files += here
    return files


def place(derivation: Derivation) -> str:
    """The file and line of a derivation."""
    return f"{_short(derivation.file)}:{derivation.body.__code__.co_firstlineno}"


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        inside = sorted(path.rglob("*.py"))
        return [file for file in inside if not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)]
    if not path.exists():
        raise MisuseError(f"there is no file or folder {path}.")
    if path.suffix != ".py":
        raise MisuseError(f"{path} is no Python file.")
    return [path]


class File:
    """A Python file that has been run for its derivations.

    Args:
        path: the file.

    Attributes:
        derivations: what it derives, in order, whether it gave it a name or not.

    Raises:
        MisuseError: if it is no Python, or raises.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._module = ModuleType(f"verifydiff_page_{abs(hash(str(path.resolve())))}_{path.stem}")
        self._module.__file__ = str(path)
        self._neighbours: dict[str, ModuleType] = {}
        source = _read(path)
        with self.installed(), collecting() as made:
            try:
                exec(compile(source, str(path), "exec", dont_inherit=True), vars(self._module))  # noqa: S102 - the user's own file
            except SyntaxError as error:
                raise MisuseError(
                    f"{_short(error.filename or path)}:{error.lineno or 1}: this is no Python: {error.msg}."
                ) from None
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # also what a file makes of its own
                raise MisuseError(told(error, str(path))) from None
            self.derivations = [one for one in made if self._is_mine(one)]

    @contextmanager
    def installed(self) -> Iterator[None]:
        """The module is known by its name, its neighbours can be imported, and what it prints goes to standard error."""
        before, path, folder = set(sys.modules), list(sys.path), self._path.parent.resolve()
        sys.modules.update({self._module.__name__: self._module, **self._neighbours})
        sys.path.insert(0, str(folder))
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            sys.path[:] = path
            sys.modules.pop(self._module.__name__, None)
            for name in set(sys.modules) - before:
                origin = getattr(sys.modules[name], "__file__", None)
                if origin and Path(origin).resolve().is_relative_to(folder):
                    self._neighbours[name] = sys.modules.pop(name)

    def _is_mine(self, one: Derivation) -> bool:
        """Whether the derivation was made here; if not, it is the other file's to prove."""
        if not isfunction(one.body):
            raise MisuseError(f"{_short(self._path)}: the body of a derivation is a function, got {type(one.body).__name__}.")
        for name in ("id", "title", "source"):
            refuse_unwritable(getattr(one, name), f"{place(one)}: its {name}")
        home = sys.modules.get(one.body.__module__)
        return home is self._module or all(other is not one for other in _derivations(vars(home).values() if home else ()))


def _derivations(values: Iterable[Any]) -> list[Derivation]:
    """The derivations among the values, and in the lists and tables among them."""
    found: list[Derivation] = []
    for value in values:
        inside = value.values() if type(value) is dict else value if type(value) in (list, tuple, set) else (value,)
        found += [one for one in inside if isinstance(one, Derivation)]
    return found


def refuse_unwritable(words: Any, what: str) -> None:
    """Refuse what is no text, or holds half a character.

    Raises:
        MisuseError: if it is not.
    """
    try:
        words.encode()
    except (AttributeError, UnicodeEncodeError):
        raise MisuseError(f"{what} is no text that can be written: {words!r}.") from None


def _read(file: Path) -> bytes:
    try:
        source = file.read_bytes()
    except OSError as error:
        raise MisuseError(f"{file} cannot be read: {error.strerror}.") from None
    if b"\0" in source:
        raise MisuseError(f"{file} is no Python file: it holds null bytes.")
    return source


def told(error: BaseException, file: str) -> str:
    """An exception from a user's file in one line, with the line of that file where it began."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f"{_short(file)}:{lines[-1]}" if lines else _short(file)
    try:
        message = str(error).strip().splitlines()
    except Exception:  # it cannot even say what it is
        message = []
    kind = "" if isinstance(error, MisuseError) else f"{type(error).__name__}: "
    return f"{where}: {kind}{message[0] if message else 'it gave up'}"


def _short(file: str | Path) -> str:
    path = Path(file)
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
