"""How strong a run was: which of the known defects its problems and checks would have caught."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache

from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.rejection import questions_on_sizes, rejecting_questions
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import Question
from gradlab.harness.verdict import Verdict
from gradlab.storage.cache import from_cache
from gradlab.targets.shipped import Specimen, specimens

Asked = Mapping[str, Sequence[Question]]  # by dtype
Witnesses = Mapping[str, Mapping[str, Sequence[str]]]  # by dtype and defect, what `_key` gives of questions


@dataclass(frozen=True)
class Power:
    """Known defects by what a run would have made of them; each by the name of its specimen.

    Those of another derivative than the one claimed do not count.
    caught: rejected in every dtype in which it was exercised; missed: not. not_exercised: the others, by the claim
    without which the run says nothing about them. largest: the most rows and the most classes of any problem.
    """

    caught: tuple[str, ...]
    missed: tuple[str, ...]
    not_exercised: Mapping[str, tuple[str, ...]]
    largest: tuple[int, int]


def known_defects(claims: Claims) -> Mapping[str, Specimen]:
    """The specimens of the scope that these claims are in, by name."""
    return scope_of(claims).power.specimens()


def namable_defects(claims: Claims) -> Mapping[str, Specimen]:
    """What a diagnosis may name, by name: the same, and of a layer what it has in common with a loss of logits."""
    return {**specimens(), **scope_of(claims).power.specimens()}


def power_of(claims: Claims, level: Verdict, asked: Asked) -> Power:
    """The power of a run with these claims and problems, by dtype, that asks for this level; kept between runs.

    On which questions a defect is caught is kept too: a run with another seed that asks the same of them again has
    caught it, without a call.
    """
    what = [repr(claims), str(level), *known_defects(claims)]
    questions = [part for dtype, some in asked.items() for part in (dtype, *map(_key, some))]

    @cache
    def worked_out(dtype: str, name: str) -> list[str]:
        specimen = known_defects(claims)[name]
        of_sizes = _is_of_sizes(specimen, claims)
        tried = questions_on_sizes(specimen, claims, dtype) if of_sizes else asked[dtype]
        return [_key(one) for one in rejecting_questions(specimen, claims, level, tried)]

    def witnesses() -> Witnesses:
        exercised = _exercised(claims, level, asked)
        return {
            dtype: {name: worked_out(dtype, name) for name, tried in exercised.items() if dtype in tried}
            for dtype in asked
        }

    def power() -> Power:
        earlier: Witnesses = from_cache("witnesses", "\n".join([*what, *asked]), witnesses)
        return work_out_power(claims, level, asked, worked_out, earlier)

    kept = from_cache("power", "\n".join([*what, *questions]), lambda: asdict(power()))
    groups = {reason: tuple(names) for reason, names in kept["not_exercised"].items()}
    rows, classes = kept["largest"]
    return Power(tuple(kept["caught"]), tuple(kept["missed"]), groups, (rows, classes))


def work_out_power(
    claims: Claims,
    level: Verdict,
    asked: Asked,
    rejecting: Callable[[str, str], Sequence[str]],
    earlier: Witnesses,
) -> Power:
    """The same, worked out.

    rejecting: (dtype, defect) -> the questions by which it is caught. earlier: those by which it was caught before.
    """
    keys = {dtype: set(map(_key, some)) for dtype, some in asked.items()}
    known = _known(claims)

    def is_caught(name: str, dtype: str) -> bool:
        seen = earlier.get(dtype, {}).get(name)
        holds = bool(seen) and (_is_of_sizes(known[name], claims) or keys[dtype].issuperset(seen or ()))
        return holds or bool(rejecting(dtype, name))

    exercised = _exercised(claims, level, asked)
    caught = tuple(name for name, dtypes in exercised.items() if all(is_caught(name, dtype) for dtype in dtypes))
    missed = tuple(name for name in exercised if name not in caught)
    left_out: dict[str, list[str]] = {}
    for name, specimen in known.items():
        if name not in exercised:
            why = [str(scope_of(claims).power.why_not(specimen, claims, dtype, level)) for dtype in asked]
            reason = next((one for one in why if one not in asked), why[0])  # a dtype that is asked is claimed
            left_out.setdefault(reason, []).append(name)
    every = [question.problem for some in asked.values() for question in some]
    largest = (max(one.n_rows for one in every), max(one.n_classes for one in every))
    return Power(caught, missed, {reason: tuple(names) for reason, names in left_out.items()}, largest)


def _known(claims: Claims) -> Mapping[str, Specimen]:
    """Those of the derivative that is claimed."""
    every = known_defects(claims).items()
    return {name: one for name, one in every if claims_from(one.claims).derivative == claims.derivative}


def _exercised(claims: Claims, level: Verdict, dtypes: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """The dtypes in which a run says something of a defect, by defect; without those of which it says nothing."""
    why_not = scope_of(claims).power.why_not
    found = {
        name: [dtype for dtype in dtypes if why_not(specimen, claims, dtype, level) is None]
        for name, specimen in _known(claims).items()
    }
    return {name: tried for name, tried in found.items() if tried}


def _is_of_sizes(specimen: Specimen, claims: Claims) -> bool:
    """Whether the check that catches a defect is of the part on sizes, which is the same in every run."""
    return any(check.name == specimen.killed_by and check.group == "sizes" for check in scope_of(claims).checks)


def _key(question: Question) -> str:
    """All that an answer to a question depends on besides the code."""
    return " ".join([question.problem.digest, *(check.name for check in question.checks)])
