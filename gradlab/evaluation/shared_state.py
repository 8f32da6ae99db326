"""More of what all code in a process shares: generators, environment, warnings, locale, signals, limits, threads.

Watches as those of `process_state`. A call that imports something may change what the import changes: nothing is said
of it then, the next call is watched again. All of it takes about 40 microseconds a call.
"""

from __future__ import annotations

import _locale as bare_locale  # what locale is made of: without a search for aliases, which takes three times as long
import _signal  # type: ignore[import-not-found]  # what signal is made of: without a member of an enumeration each
import contextlib
import ctypes
import decimal
import gc
import locale
import os
import random
import signal
import struct
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import mtrand

try:
    import resource
except ImportError:  # not everywhere
    resource = None  # type: ignore[assignment]  # the module, or nothing

After = Callable[[], str | None]
Watch = Callable[[], After]

NUMPY_GENERATOR, PYTHON_GENERATOR = "NumPy's global generator", "the generator of the module random"


def _known(module: Any, names: tuple[str, ...]) -> list[Any]:
    """What the module has of these."""
    return [getattr(module, name) for name in names if hasattr(module, name)]


DRAWN_FROM, STATE_OF = "numbers have been drawn from", "the state of"
GENERATORS = (NUMPY_GENERATOR, PYTHON_GENERATOR)
MORE_THREADS = 64  # than there were before the first call: more than a pool of workers has
_SIGNALS = _known(signal, ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGFPE", "SIGUSR1", "SIGUSR2", "SIGCHLD"))
_NUMBERS = list(map(int, _SIGNALS))
_LIMITS = _known(
    resource,
    (
        *("RLIMIT_AS", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_CPU"),
        *("RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_NPROC"),
    ),
)
_WORDS = 624  # of a Mersenne twister, with which goes the place in them
_BLOCKS = 64  # of so many words, that a call may have drawn
_NUMPY_BYTES = _PYTHON_BYTES = 4 * (_WORDS + 1)


def _unless_imported(
    look: Callable[[], Any], put_back: Callable[[Any], None], change: str | Callable[[Any, Any], str]
) -> Watch:
    """A watch of what `look` sees: where it is another, `change` is told and it is put back; not after an import.

    change: what is told, or what makes it of what was seen before and after.
    """

    def watch() -> After:
        before, n_modules = look(), len(sys.modules)

        def after() -> str | None:
            if len(sys.modules) != n_modules:
                return None
            now = look()
            if _are_equal(now, before):
                return None
            with contextlib.suppress(Exception):
                put_back(before)
            return change if isinstance(change, str) else change(before, now)

        return after

    return watch


def _are_equal(now: Any, before: Any) -> bool:
    """Whether two looks saw the same; not where what is compared is foreign and raises."""
    try:
        return bool(now == before)
    except Exception:
        return False


def _numpy_generator() -> Any:
    """The bits of NumPy's global generator; its own words for another than the usual one."""
    generator = mtrand.get_bit_generator()
    if isinstance(generator, np.random.MT19937):
        return ctypes.string_at(generator.ctypes.state_address, _NUMPY_BYTES)
    return repr(generator.state)


def _restore_numpy_generator(before: Any) -> None:
    generator = mtrand.get_bit_generator()
    if isinstance(before, bytes) and isinstance(generator, np.random.MT19937):
        ctypes.memmove(generator.ctypes.state_address, before, _NUMPY_BYTES)


def _change_of_numpy_generator(before: Any, now: Any) -> str:
    """Whether numbers were drawn, or the generator is in another state than drawing leads to."""
    drawn = isinstance(before, bytes) and isinstance(now, bytes) and _is_drawn_from(before, now)
    return f"{DRAWN_FROM} {NUMPY_GENERATOR}" if drawn else f"{STATE_OF} {NUMPY_GENERATOR} has changed"


def _is_drawn_from(before: bytes, now: bytes) -> bool:
    """Whether drawing some numbers from a state leads to another one, but for the place in the words."""
    generator = np.random.MT19937()
    ctypes.memmove(generator.ctypes.state_address, before, _NUMPY_BYTES)
    for _ in range(_BLOCKS):
        if ctypes.string_at(generator.ctypes.state_address, 4 * _WORDS) == now[: 4 * _WORDS]:
            return True
        generator.random_raw(_WORDS)
    return False


def _twister_of_python() -> int:
    """Where the module random keeps the words of its generator: behind the head of the object; 0 where they are not.

    Its own getstate makes 625 numbers of them, which takes longer than everything else here together.
    """
    generator: Any = random.random.__self__  # type: ignore[attr-defined]  # a method that is bound
    place = id(generator) + object.__basicsize__
    if sys.implementation.name != "cpython" or type(generator).__basicsize__ < _PYTHON_BYTES + object.__basicsize__:
        return 0
    words = random.getstate()[1]
    kept = struct.unpack(f"={_WORDS + 1}I", ctypes.string_at(place, _PYTHON_BYTES))
    return place if kept == (words[-1], *words[:-1]) else 0


def _python_generator() -> Any:
    return ctypes.string_at(_PYTHON_TWISTER, _PYTHON_BYTES) if _PYTHON_TWISTER else random.getstate()


def _restore_python_generator(before: Any) -> None:
    if isinstance(before, bytes):
        ctypes.memmove(_PYTHON_TWISTER, before, _PYTHON_BYTES)
    else:
        random.setstate(before)


def _environment() -> dict[Any, Any]:
    data = getattr(os.environ, "_data", None)  # without decoding each
    return dict(data) if isinstance(data, dict) else dict(os.environ)


def _restore_environment(before: dict[Any, Any]) -> None:
    data: Any = getattr(os.environ, "_data", os.environ)
    decode = os.fsdecode if data is not os.environ else str
    for name in [*data]:
        if name not in before:
            del os.environ[decode(name)]
    for name, value in before.items():
        os.environ[decode(name)] = decode(value)


def _locale() -> str:
    return bare_locale.setlocale(bare_locale.LC_ALL)


def _restore_locale(before: str) -> None:
    locale.setlocale(locale.LC_ALL, before)


def _mask() -> int:
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


def _restore_mask(before: int) -> None:
    os.umask(before)


def _interpreter() -> tuple[Any, ...]:
    hooks = sys.gettrace(), sys.getprofile(), [*gc.callbacks]
    collector = gc.isenabled(), gc.get_threshold()
    return sys.getrecursionlimit(), sys.getswitchinterval(), decimal.getcontext().prec, collector, hooks


def _restore_interpreter(before: tuple[Any, ...]) -> None:
    recursion, interval, digits, (is_collecting, threshold), (trace, profile, callbacks) = before
    sys.setrecursionlimit(recursion)
    sys.setswitchinterval(interval)
    decimal.getcontext().prec = digits
    gc.callbacks[:] = callbacks
    gc.set_threshold(*threshold)
    (gc.enable if is_collecting else gc.disable)()
    sys.settrace(trace)
    sys.setprofile(profile)


def _handlers() -> list[Any]:
    return [_signal.getsignal(one) for one in _NUMBERS]


def _restore_handlers(before: list[Any]) -> None:
    for one, handler in zip(_SIGNALS, before, strict=True):
        if handler is not None and _signal.getsignal(one) is not handler:
            signal.signal(one, handler)


def _limits() -> list[Any]:
    return [resource.getrlimit(one) for one in _LIMITS]


def _restore_limits(before: list[Any]) -> None:
    for one, limit in zip(_LIMITS, before, strict=True):
        resource.setrlimit(one, limit)


def _restore_filters(before: list[Any]) -> None:
    warnings.filters[:] = before  # type: ignore[index]  # a list, whatever the stubs say


class _Threads:
    """A watch of threads that are left behind, call after call."""

    def __init__(self) -> None:
        self._most = threading.active_count() + MORE_THREADS

    def __call__(self) -> After:
        return self._after

    def _after(self) -> str | None:
        now = threading.active_count()
        if now <= self._most:
            return None
        self._most = now + MORE_THREADS
        return f"{now} threads are left running"


_PYTHON_TWISTER = _twister_of_python()
MORE_WATCHES: tuple[Watch, ...] = (
    _unless_imported(_numpy_generator, _restore_numpy_generator, _change_of_numpy_generator),
    _unless_imported(_python_generator, _restore_python_generator, f"the state of {PYTHON_GENERATOR} has changed"),
    _unless_imported(_environment, _restore_environment, "environment variables have changed"),
    _unless_imported(_locale, _restore_locale, "the locale has changed"),
    _unless_imported(_mask, _restore_mask, "the umask has changed"),
    _unless_imported(lambda: warnings.filters[:], _restore_filters, "the filters of warnings have changed"),
    _unless_imported(_interpreter, _restore_interpreter, "settings of the interpreter have changed"),
    _unless_imported(_handlers, _restore_handlers, "signal handlers have changed"),
    _unless_imported(_limits, _restore_limits, "resource limits have changed"),
    _Threads(),
)
