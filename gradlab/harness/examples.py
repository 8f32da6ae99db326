"""Where several defects explain an implementation: for each of them a failure in which it shows by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from gradlab.evaluation.call import Implementation
from gradlab.harness.scopes import scope_of
from gradlab.result import Result

if TYPE_CHECKING:
    from gradlab.diagnosis.diagnosis import Diagnosis

MAX_LOOKED_AT = 60  # failures


def examples_of(known: Diagnosis, implementation: Implementation, failed: Iterable[Result]) -> Mapping[str, Result]:
    """By defect, the first of the failures that it brings about without the others; those with none are left out.

    Empty where one defect explains all by itself: every failure is an example then.
    """
    wanted = {name for one in known.alternatives if len(one.defects) > 1 for name in one.defects}
    shown_alone = scope_of(implementation.claims).explaining.shown_alone
    found: dict[str, Result] = {}
    for result in islice(failed, MAX_LOOKED_AT if wanted else 0):
        for name in wanted.intersection(shown_alone(known, implementation, result)):
            found.setdefault(name, result)
        if wanted == found.keys():
            break
    return dict(sorted(found.items()))
