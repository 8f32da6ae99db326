"""Which mistakes came in between two reports, and which went, by their diagnoses."""

from __future__ import annotations

from collections.abc import Iterator

from gradlab.compare.change import Change, Effect, Plain


def mistake_changes(old: Plain, new: Plain) -> Iterator[Change]:
    """The mistakes that one implementation looks like in one of its two entries only.

    A mistake that came in is worse where the level was met before, one that went is better where the level is met now;
    elsewhere another mistake may have hidden it, or hides it now. Nothing is said to have gone where there is no
    diagnosis of what fails.
    """
    before, now = _mistakes(old), _mistakes(new)
    for mistake in now:
        if mistake not in before:
            yield Change(new["name"], f"looks like {mistake}: new", Effect.WORSE if old["met"] else Effect.CHANGED)
    if new["met"] or new["diagnosis"]:
        for mistake in before:
            if mistake not in now:
                effect = Effect.BETTER if new["met"] else Effect.CHANGED
                yield Change(new["name"], f"no longer looks like {mistake}", effect)


def _mistakes(entry: Plain) -> list[str]:
    """The names of the defects, one by one; sets of them that cannot be told apart are one."""
    diagnosis = entry["diagnosis"]
    if diagnosis is None:
        return []
    sets = [one["defects"] for one in diagnosis["alternatives"]]
    known = sets[0] if len(sets) == 1 else [" or ".join(" and ".join(one) for one in sets)] if sets else []
    return [*known, *diagnosis["conduct"]]
