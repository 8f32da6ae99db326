"""What a layer's gradients are multiplied by for an upstream gradient, where only that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from gradlab.diagnosis.layer.side_effects import ROUNDED, outputs_with
from gradlab.evaluation.call import Implementation
from gradlab.layer.problem import LayerProblem
from gradlab.localisation.layer.reading import GRADIENTS
from gradlab.localisation.layer.words import are, listed
from gradlab.localisation.statements import Localisation
from gradlab.localisation.where import MIN_FORETOLD
from gradlab.problems.problem import Array

WAY = "scaled"
TRIED = (-2.0, 0.5, 4.0)  # upstream gradients with which it is found out, on the first problems
FRESH = (-4.0, 0.25, -0.5, 8.0)  # those with which it is foretold, on others; powers of two round nothing
N_FIRST, ENOUGH = 6, 24  # problems

Outputs = Mapping[str, Array]
MULTIPLIED: Mapping[str, Callable[[float], float]] = {
    "multiplied by the upstream gradient": lambda u: u,
    "not multiplied by the upstream gradient": lambda u: 1.0,
    "multiplied by the square of the upstream gradient": lambda u: u * u,
    "multiplied by the third power of the upstream gradient": lambda u: u**3,
    "multiplied by the upstream gradient without its sign": abs,
    "divided by the upstream gradient": lambda u: 1 / u,
    "multiplied by the sign of the upstream gradient": lambda u: float(np.sign(u)),
    "multiplied by the root of the upstream gradient without its sign": lambda u: float(np.sqrt(abs(u))),
}
RIGHT = next(iter(MULTIPLIED))


def localise_upstream(implementation: Implementation, problems: Sequence[LayerProblem]) -> Localisation | None:
    """What each gradient is multiplied by for an upstream gradient of the loss; None if nothing sure, or all is right.

    problems: to which the answers are right for an upstream gradient of 1, all of one dtype.
    """
    if WAY not in implementation.claims.backward:
        return None
    asked = [one for one in problems if one.is_moderate][: N_FIRST + ENOUGH]
    first = [pair for one in asked[:N_FIRST] for pair in _answers(implementation, one, TRIED)]
    told = {name: said for name in GRADIENTS if (said := _multiplied(name, first))}
    if all(said == RIGHT for said in told.values()):
        return None
    fresh = [pair for one in asked[N_FIRST:] for pair in _answers(implementation, one, FRESH)]
    foretold = [all(_is_near(name, said, *pair) for name, said in told.items()) for pair in fresh]
    if len(fresh) < ENOUGH or sum(foretold) < MIN_FORETOLD * len(fresh):
        return None
    groups: dict[str, list[str]] = {}
    for name, said in told.items():
        groups.setdefault(said, []).append(name)
    right = groups.pop(RIGHT, [])
    what = [f"{listed(names)} {are(names)} {said}" for said, names in groups.items()]
    what += [f"{listed(right)} {are(right)} right"] if right else []
    return Localisation(
        asked[0].format.name,
        "wrong only where an upstream gradient other than 1 is given",
        "; ".join(what),
        (),
        sum(foretold),
        len(fresh),
        2 * (len(first) + len(fresh)),
    )


def _answers(
    implementation: Implementation, problem: LayerProblem, factors: Sequence[float]
) -> Iterator[tuple[float, Outputs, Outputs]]:
    """Each factor with the outputs for an upstream gradient of 1 and of that; nothing where there is no answer."""
    plain = outputs_with(implementation, problem, {})
    for factor in factors:
        upstream = np.array(factor).astype(problem.features.dtype)
        other = outputs_with(implementation, problem, {"backward": WAY, "upstream": upstream})
        if plain and other:
            yield factor, plain, other


def _multiplied(name: str, answers: Sequence[tuple[float, Outputs, Outputs]]) -> str:
    """What an output is multiplied by in all of these answers, in words; "" where nothing tells."""
    telling = [pair for pair in answers if name in pair[1] and pair[1][name].any()]
    known = (said for said in MULTIPLIED if all(_is_near(name, said, *pair) for pair in telling))
    return next(known, "") if telling else ""


def _is_near(name: str, said: str, factor: float, plain: Outputs, other: Outputs) -> bool:
    """Whether an output is multiplied by that."""
    room = ROUNDED * float(np.finfo(np.float32).eps if plain[name].dtype.itemsize > 2 else 2.0**-8)
    return np.allclose(other[name].astype(np.float64), MULTIPLIED[said](factor) * plain[name].astype(np.float64), room)
