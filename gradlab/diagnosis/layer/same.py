"""Sets of defects that are the same in all outputs that a layer returns: one of them is named, and says the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradlab.diagnosis.layer.observation import Observation, predict
from gradlab.diagnosis.models.model import Model
from gradlab.diagnosis.search import Explanation
from gradlab.layer.problem import OUTPUTS
from gradlab.problems.problem import Array
from gradlab.targets.shipped import Specimen

Defects = tuple[Specimen, ...]


def as_explanations(found: Sequence[Defects], observations: Sequence[Observation]) -> tuple[Explanation, ...]:
    """The sets of defects as explanations; of those that are the same in what is returned one, which says the others.

    It is the one that changes least of what is not returned: of db, where dW alone is, the others say nothing certain.
    """
    returned = [name for name in OUTPUTS if any(name in seen.seen for seen in observations)]
    others = [name for name in OUTPUTS if name not in returned] if len(found) > 1 else []
    groups: list[list[Defects]] = []
    for some in sorted(found, key=lambda one: len(_changed(one, others, observations))):
        for group in groups:
            if others and _differ_by_one(group[0], some) and _are_alike(group[0], some, returned, observations):
                group.append(some)
                break
        else:
            groups.append([some])
    outputs = " and ".join(filter(None, (", ".join(returned[:-1]), *returned[-1:])))
    return tuple(Explanation(_models(group, outputs)) for group in groups)


def _models(group: Sequence[Defects], outputs: str) -> tuple[Model, ...]:
    """The models of the first set, with the names of what the others have in the place of one of them."""
    said: dict[str, list[str]] = {}
    for some in group[1:]:
        (own,), (other,) = _apart(group[0], some)
        said.setdefault(own.name, []).append(other.name)
    return tuple(_model(one, said.get(one.name, []), outputs) for one in group[0])


def _model(one: Specimen, names: Sequence[str], outputs: str) -> Model:
    same = f"{one.wrong}; or {' or '.join(names)}, the same for a layer that returns {outputs} alone"
    return Model(one.name, {}, said=same if names else "")


def _apart(first: Defects, second: Defects) -> tuple[Defects, Defects]:
    """What each of two sets has and the other has not."""
    return tuple(one for one in first if one not in second), tuple(one for one in second if one not in first)


def _differ_by_one(first: Defects, second: Defects) -> bool:
    return all(len(own) == 1 for own in _apart(first, second))


def _are_alike(first: Defects, second: Defects, names: Sequence[str], observations: Sequence[Observation]) -> bool:
    """Whether two sets give the same numbers in these outputs, in every problem."""
    return all(_same(predict(one.problem, first), predict(one.problem, second), names) for one in observations)


def _changed(some: Defects, names: Sequence[str], observations: Sequence[Observation]) -> set[str]:
    """Which of these outputs a set changes in some problem."""
    pairs = [(predict(one.problem, some), predict(one.problem, ())) for one in observations]
    return {name for name in names if not all(_same(*pair, [name]) for pair in pairs)}


def _same(first: Mapping[str, Array], second: Mapping[str, Array], names: Sequence[str]) -> bool:
    return all(np.array_equal(first[name], second[name], equal_nan=True) for name in names)
