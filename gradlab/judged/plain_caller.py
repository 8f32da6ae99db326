"""Calls a function with arrays that come through a socket, and sends back what it returns: a program by itself.

It is run as a copy of this file, in a process in which nothing else is loaded but NumPy and the function.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from struct import Struct
from typing import Any

import numpy as np

HEAD = Struct("=cQ")  # the kind of an answer, and how many bytes follow
VALUES, ERROR, UNKNOWN = b"v", b"e", b"u"  # loss and gradient in float64; a text; nothing, for what is called otherwise
GRADIENTS = ("dx", "dX", "dlogits", "dz", "grad", "gradient")  # where an instance may keep it


def main() -> None:
    """Answers until the other end is closed."""
    end = socket.socket(fileno=int(sys.argv.pop()))
    with end, end.makefile("rb") as questions:
        setting = json.loads(questions.readline())
        sys.path[:] = setting["path"]
        function: Any = None
        fault = ""
        try:
            function = _load(setting["module"], setting["attribute"])
        except BaseException as error:
            fault = f"it does not load: {type(error).__name__}: {error}"
        os.chdir(setting["folder"])
        while line := questions.readline():
            given = json.loads(line)
            arguments = [_read(questions, one) for one in given["arguments"]]
            keywords = {name: _read(questions, one) for name, one in given["keywords"].items()}
            answer = _answer(function, arguments, {**_taken(function, setting["bound"]), **keywords})
            _send(end, *((ERROR, fault.encode(errors="replace")) if fault else answer))


def _load(module: str, attribute: str) -> Any:
    """What the attribute path leads to, in a file or in a module by its name."""
    found = _module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def _module(module: str) -> Any:
    if not module.endswith(".py"):
        sys.path.insert(0, os.getcwd())
        return importlib.import_module(module)
    path = Path(module).resolve()
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    sys.path.append(str(folder))
    if len(parts) > 1:
        return importlib.import_module(".".join(parts))
    name = path.stem if path.stem not in sys.modules else f"_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def _read(questions: Any, one: Any) -> Any:
    """An array, whose bytes follow, or a plain value."""
    if not isinstance(one, dict):
        return one
    if one["dtype"].isidentifier():
        importlib.import_module("ml_dtypes")  # which NumPy knows by name from then on
    dtype = np.dtype(one["dtype"])
    array = np.empty(one["shape"], dtype)
    content = questions.read(array.nbytes)
    array.reshape(-1).view(np.uint8)[:] = np.frombuffer(content, np.uint8)
    return array


def _answer(function: Any, arguments: list[Any], keywords: dict[str, Any]) -> tuple[bytes, bytes]:
    try:
        value = _call(function, arguments, keywords)
        if value is None:
            return UNKNOWN, b""
        parts = [np.ascontiguousarray(np.asarray(part).astype(np.float64)) for part in value]
        return VALUES, b"".join(part.tobytes() for part in parts)
    except BaseException as error:
        return ERROR, f"{type(error).__name__}: {error}".encode(errors="replace")


def _call(function: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    if inspect.isclass(function):
        instance: Any = function()
        loss = instance.forward(*arguments)
        gradient = instance.backward(1.0)
        kept = [getattr(instance, name) for name in GRADIENTS if hasattr(instance, name)]
        found = [gradient] if gradient is not None else kept
        return (loss, found[0]) if found and not keywords else None
    loss, gradient = function(*arguments, **keywords)
    return loss, gradient


def _taken(function: Callable[..., Any], bound: dict[str, Any]) -> dict[str, Any]:
    """Those of the keywords that the function takes, and that are not its defaults."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
    return {name: value for name, value in bound.items() if name in parameters and parameters[name].default != value}


def _send(end: socket.socket, kind: bytes, content: bytes) -> None:
    end.sendall(HEAD.pack(kind, len(content)) + content)


if __name__ == "__main__":
    main()
