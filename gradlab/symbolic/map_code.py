"""The generated functions of the options that map logits, add a term to a row's loss or are a factor of it."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from gradlab.symbolic.ball_code import as_ball
from gradlab.symbolic.definition import A, M, m, u
from gradlab.symbolic.numpy_code import as_numpy, name_of
from gradlab.symbolic.options import LogitMap, RowFactor, RowTerm
from gradlab.symbolic.routine import Routine


def numpy_map(name: str, one: LogitMap) -> Routine:
    """The NumPy function of a map of the logits; of arrays, or of whatever else NumPy's functions take."""
    return _map(name, "Any, {}: Any) -> tuple[Any, Any]", (as_numpy(one.mapped, ()), as_numpy(one.slope, ())), one)


def ball_map(name: str, one: LogitMap) -> Routine:
    """The function of a map of one logit in balls."""
    code = (_as_one_ball(one.mapped), _as_one_ball(one.slope))
    return _map(name, "arb, {}: arb) -> tuple[arb, arb]", code, one)


def numpy_term(name: str, one: RowTerm) -> Routine:
    """The NumPy function of a row's term; of arrays, or of whatever else NumPy's functions take."""
    code = [as_numpy(value, ()) for value in (one.value, *one.slopes)]
    return _term(name, "Any", "tuple[Any, Any, Any]", code, one)


def ball_term(name: str, one: RowTerm) -> Routine:
    """The function of a row's term in balls."""
    code = [_as_one_ball(value) for value in (one.value, *one.slopes)]
    return _term(name, "arb", "tuple[arb, arb, arb]", code, one)


def numpy_factor(name: str, one: RowFactor) -> Routine:
    """The NumPy function of a row's factors: of its loss, and of its gradient."""
    code = [as_numpy(value, ()) for value in (one.returned, one.differentiated)]
    return _factor(name, "Any", "tuple[Any, Any]", code, one)


def ball_factor(name: str, one: RowFactor) -> Routine:
    """The same in balls."""
    code = [_as_one_ball(value) for value in (one.returned, one.differentiated)]
    return _factor(name, "arb", "tuple[arb, arb]", code, one)


def _factor(name: str, number: str, answer: str, code: Sequence[str], one: RowFactor) -> Routine:
    return Routine(
        f"factor_{name}({name_of(one.letter)}: {number}) -> {answer}",
        f"The factors of a row's loss and of its gradient for {name}.",
        [f"return {', '.join(code)}"],
    )


def _map(name: str, types: str, code: Sequence[str], one: LogitMap) -> Routine:
    return Routine(
        f"map_{name}({name_of(u)}: {types.format(name_of(one.letter))}",
        f"{one.meaning[0].upper()}{one.meaning[1:]}; and its slope.",
        [f"return {', '.join(code)}"],
    )


def _term(name: str, number: str, answer: str, code: Sequence[str], one: RowTerm) -> Routine:
    parameters = ", ".join(f"{name_of(letter)}: {number}" for letter in (M, m, A, one.letter))
    return Routine(
        f"term_{name}({parameters}) -> {answer}",
        f"{one.meaning[0].upper()}{one.meaning[1:]}; and its slopes along the first two.",
        [f"return {', '.join(code)}"],
    )


def _as_one_ball(value: Expr) -> str:
    return f"arb({as_ball(value)})" if value.is_Number else as_ball(value)
