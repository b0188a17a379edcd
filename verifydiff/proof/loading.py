r"""Finding derivations: files and folders of them, one's own and the shipped ones.

A file is run as Python, as a test runner does, under a name of its own; what it put into ``sys.modules`` and ``sys.path``
is taken out again.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from ..verdict import MisuseError
from .derivation import Derivation


def shipped() -> Path:
    """The folder of the shipped derivations: in a checkout beside the package, in a wheel inside it."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_derivations", package.parent / "derivations"):
        if folder.is_dir():
            return folder
    raise MisuseError("the shipped derivations are not installed.")


def load(paths: Iterable[str | Path]) -> list[Derivation]:
    """All derivations of the files and folders, in order.

    Raises:
        MisuseError: if a path cannot be read as Python, holds no derivation, or two claims have one id.
    """
    found: dict[str, Derivation] = {}
    for path in map(Path, paths):
        here = [one for file in _files(path) for one in _load_file(file)]
        if not here:
            raise MisuseError(f"{path} holds no derivations: functions under @derivation are needed.")
        for one in here:
            other = found.setdefault(one.id, one)
            if other is not one:
                raise MisuseError(f"two claims are called {one.id}: {place(other)} and {place(one)}; give one an `id=`.")
    return list(found.values())


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


def _load_file(file: Path) -> list[Derivation]:
    source = _read(file)
    module = ModuleType(f"verifydiff_page_{abs(hash(str(file.resolve())))}_{file.stem}")
    module.__file__ = str(file)
    with _as_if_installed(module, file.parent):
        try:
            exec(compile(source, str(file), "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the user's own file
        except SyntaxError as error:
            raise MisuseError(f"{_short(error.filename or file)}:{error.lineno or 1}: this is no Python: {error.msg}.") from None
        except (Exception, SystemExit) as error:
            raise MisuseError(told(error, str(file))) from None
    mine = [value for value in vars(module).values() if isinstance(value, Derivation) and value.body.__module__ == module.__name__]
    return list(dict.fromkeys(mine))


def _read(file: Path) -> bytes:
    try:
        source = file.read_bytes()
    except OSError as error:
        raise MisuseError(f"{file} cannot be read: {error.strerror}.") from None
    if b"\0" in source:
        raise MisuseError(f"{file} is no Python file: it holds null bytes.")
    return source


@contextmanager
def _as_if_installed(module: ModuleType, folder: Path) -> Iterator[None]:
    """The module is known by its name, and its neighbours can be imported, while it is being run."""
    before, path = set(sys.modules), list(sys.path)
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path[:] = path
        sys.modules.pop(module.__name__, None)
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and Path(origin).resolve().is_relative_to(folder.resolve()):
                del sys.modules[name]


def told(error: BaseException, file: str) -> str:
    """An exception from a user's file in one line, with the line of that file where it began."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f"{_short(file)}:{lines[-1]}" if lines else _short(file)
    message = str(error).strip().splitlines()
    kind = "" if isinstance(error, MisuseError) else f"{type(error).__name__}: "
    return f"{where}: {kind}{message[0] if message else 'it gave up'}"


def _short(file: str | Path) -> str:
    path = Path(file)
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
