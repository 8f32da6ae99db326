"""Importing what is to be tested, from a file or by name; every way in which that fails is one line."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import io
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from gradlab.evaluation.text import on_one_line, one_line
from gradlab.evaluation.user_frame import place_of


class TargetError(ValueError):
    """Why a target cannot be loaded: one line, for people."""


class AbsentError(TargetError):
    """There is no module of that name."""


class MissingError(TargetError):
    """A target cannot be loaded because a package is not installed."""


def import_file(path: Path) -> ModuleType:
    """The module that a Python file defines.

    A file in a package (a folder with `__init__.py`) is imported as that package's submodule, so that its relative
    imports work. Any other file is run again under a name of its own, so that files of one name in two folders do not
    mix; its folder is importable, as it is for `python file.py`. What it prints and warns is dropped.
    Raises TargetError that names the exception and the line.
    """
    with _guard(str(path)):
        place = path.resolve()
        root, name = _place(place)
        with _importable(root):
            return _execute(place) if "." not in name else _submodule(root, name)


def import_name(name: str) -> ModuleType:
    """The module called `name`; the current folder is importable, as it is for `python -m`.

    Raises AbsentError where it does not exist, TargetError where it does not import.
    """
    with _guard(name), _importable(Path.cwd()):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
                raise AbsentError(f"{name} does not exist: there is no module named {error.name!r}") from error
            raise


def lacking(needs: Mapping[str, str]) -> dict[str, str]:
    """Those of the packages that are not installed, each with the extra that brings it."""
    return {package: extra for package, extra in needs.items() if importlib.util.find_spec(package) is None}


def require(name: str, needs: Mapping[str, str]) -> None:
    """Nothing, where all packages that `name` needs are installed. Raises MissingError that says which extra has them.

    needs: the packages, each with the extra of gradlab-verify that brings it.
    """
    for package, extra in lacking(needs).items():
        raise MissingError(f"{name} needs {package}, which the extra brings: gradlab-verify[{extra}]")


def _place(path: Path) -> tuple[Path, str]:
    """The folder that must be importable for `path`, and the dotted name that it then has."""
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


def _execute(path: Path) -> ModuleType:
    """A module made from the file's source as it is now; compiled code that is kept elsewhere may be older."""
    name = f"_gradlab_{_short(path)}_{path.stem}"
    module = importlib.util.module_from_spec(ModuleSpec(name, None, origin=str(path)))
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _submodule(root: Path, name: str) -> ModuleType:
    top, _, rest = name.partition(".")
    known = sys.modules.get(top)
    own = str(root / top)
    taken = known is not None and own not in [os.path.realpath(place) for place in getattr(known, "__path__", [])]
    if taken or top in sys.stdlib_module_names:
        top = _package_under_a_name_of_its_own(root / top)
    return importlib.import_module(f"{top}.{rest}")


def _package_under_a_name_of_its_own(folder: Path) -> str:
    """The name under which a package is imported whose own name is taken; only its relative imports find it then."""
    name = f"_gradlab_{_short(folder)}_{folder.name}"
    if name not in sys.modules:
        places = [str(folder)]
        spec = importlib.util.spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=places)
        if spec is None or spec.loader is None:
            raise TargetError(f"{folder} is no package that can be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return name


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Puts `folder` on sys.path behind the standard library alone, and behind all else afterwards, for calls.

    So a file json.py in it stands in for no module of Python, neither for the target nor for gradlab.

    Modules from other folders of targets that would stand in for a file of this folder are forgotten.
    """
    place = str(folder)
    _forget_namesakes(folder)
    before = list(sys.path)
    sys.path.insert(1 + max((i for i, one in enumerate(sys.path) if one in _STANDARD), default=-1), place)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if place in sys.path:
            sys.path.remove(place)
        if place not in before:
            sys.path.append(place)
            _FOLDERS.add(place)


_STANDARD = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
_STANDARD |= {str(Path(one) / "lib-dynload") for one in _STANDARD}
_FOLDERS: set[str] = set()  # what _importable has added to sys.path


def _forget_namesakes(folder: Path) -> None:
    others = _FOLDERS - {str(folder)}
    tops = {name for name in sys.modules if "." not in name and _folder_of(sys.modules[name]) in others}
    namesakes = {top for top in tops if (folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file()}
    for name in [name for name in sys.modules if name.partition(".")[0] in namesakes]:
        del sys.modules[name]


def _folder_of(module: ModuleType) -> str:
    """The folder that must be on the path for this top-level module to be found."""
    path = Path(getattr(module, "__file__", None) or "")
    return str(path.parent.parent if path.name == "__init__.py" else path.parent)


@contextlib.contextmanager
def _guard(shown: str) -> Iterator[None]:
    """Silence around an import; whatever it raises, but for KeyboardInterrupt, becomes a TargetError."""
    import numpy as np

    dropped = io.StringIO()
    try:
        with (
            np.errstate(),
            warnings.catch_warnings(),
            contextlib.redirect_stdout(dropped),
            contextlib.redirect_stderr(dropped),
        ):
            warnings.simplefilter("ignore")
            yield
    except (KeyboardInterrupt, TargetError):
        raise
    except BaseException as error:
        raise TargetError(f"{shown} does not import: {_error_text(error)}") from error


def _error_text(error: BaseException) -> str:
    from gradlab.evaluation.foreign import describe_error, kind_of  # which needs NumPy

    if isinstance(error, SystemExit):
        return f"it exits with status {on_one_line(repr, error.code)}{place_of(error)}"
    if isinstance(error, SyntaxError):
        name = Path(str(error.filename or "?")).name
        return one_line(f"{kind_of(error)}: {error.msg} ({name}, line {error.lineno})")
    return describe_error(error)


def _short(path: Path) -> str:
    return hashlib.sha256(str(path).encode(errors="surrogateescape")).hexdigest()[:8]
