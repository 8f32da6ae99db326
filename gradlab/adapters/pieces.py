"""Finding several callables of one place: `module:first,second` or `file.py:first,second`."""

from __future__ import annotations

from gradlab.targets.callables import Found, attribute_of, callable_at
from gradlab.targets.importing import TargetError


def pieces_at(place: str, target: str, names: str) -> list[Found]:
    """The callables of a place, in the order in which they are written; a file is imported once for all of them.

    names: what they are, for people, as they are to be written. Raises TargetError where there are not so many, or one
    of them does not exist.
    """
    head, _, listed = place.rpartition(":")
    attributes = listed.split(",")
    first = callable_at(f"{head}:{attributes[0]}", target) if head else None
    if first is None or len(attributes) != len(names.split(",")):
        prefix = target.removesuffix(place)
        raise TargetError(f"{target} must be module:{names} or file.py:{names} after {prefix}")
    return [first, *(_beside(first, name, head, target) for name in attributes[1:])]


def _beside(first: Found, name: str, place: str, target: str) -> Found:
    if first.module is None or not all(part.isidentifier() for part in name.split(".")):
        raise TargetError(f"{target}: {name!r} is no name of a callable")
    return attribute_of(first.module, name, place, target)
