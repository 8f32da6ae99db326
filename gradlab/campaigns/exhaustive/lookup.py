"""Certificates in a folder, and which of them is of an implementation at hand, by content."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab.campaigns.exhaustive.certificate import (
    Certificate,
    CertificateError,
    Outcome,
    digest_at_probes,
    label_of,
)
from gradlab.campaigns.exhaustive.evaluation import FaultError, SweepTarget
from gradlab.campaigns.exhaustive.file import read_certificate
from gradlab.campaigns.exhaustive.sources import Dependencies, dependencies_of, follow, same_contents
from gradlab.evaluation.call import Implementation
from gradlab.judged.remote_function import RemoteFunction


@dataclass(frozen=True)
class Certified:
    """What a certificate says of an implementation at hand, and the file that it is in."""

    path: Path
    certificate: Certificate
    outcome: Outcome


def certificates_in(folder: Path, contents: Collection[str] = ()) -> dict[Path, Certificate]:
    """The complete certificates of all margins in a folder, by their files; the folder need not exist.

    contents: digests of files; only certificates that have every one of them are read. Raises CertificateError.
    """
    files = [path for path in sorted(folder.glob("*.json")) if _mentions(path, contents)]
    found = {path: read_certificate(path) for path in files}
    return {path: one for path, one in found.items() if one.is_complete and label_of(one.margins) == "exhaustive"}


def certified(implementation: Implementation, folder: Path) -> Certified | None:
    """What a certificate in the folder says of this very implementation, if there is one.

    The files that it is made of have the same contents, the packages the same versions, the function the same name, and
    the answers at PROBES the same bits, of which two calls are made. A file that is no certificate is passed over.
    """
    needed = dependencies_in(implementation.function)
    if implementation.claims.layer is not None or not needed.files:
        return None
    try:
        found = certificates_in(folder, needed.sources.values())
    except CertificateError:
        return None
    of_all = [Certified(path, one, outcome) for path, one in found.items() for outcome in one.outcomes]
    return next((one for one in of_all if _is_of(one.outcome, implementation, needed)), None)


def dependencies_in(function: Callable[..., Any]) -> Dependencies:
    """What a function depends on, which may run in another process; nothing where it is not known where it is."""
    if not isinstance(function, RemoteFunction):
        return dependencies_of(inspect.unwrap(function))
    if function.definition is None:
        return Dependencies()
    path = Path(function.definition.file)
    return follow([path], {path.parent})


def _mentions(path: Path, contents: Collection[str]) -> bool:
    """Whether a file has all of these texts in it: a certificate takes long to read."""
    return not contents or all(one.encode() in path.read_bytes() for one in contents)


def _is_of(outcome: Outcome, implementation: Implementation, needed: Dependencies) -> bool:
    described: Any = outcome.description
    if not (
        described["name"] == getattr(implementation.function, "__name__", None)
        and same_contents(described.get("sources", {}), needed.sources)
        and described.get("packages") == needed.versions
        and described["reduction"] in implementation.claims.reduction
    ):
        return False
    try:
        here = digest_at_probes(SweepTarget(implementation, described["reduction"], described["order"]))
    except FaultError:
        return False
    return bool(here == described.get("probes"))
