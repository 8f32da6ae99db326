"""Writes gradlab/reference from the definitions: `python -m gradlab.symbolic.generate`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from sympy import IndexedBase, Mul

from gradlab.symbolic import layer_code
from gradlab.symbolic.ball_code import as_ball, ball_assignment, ball_list
from gradlab.symbolic.definition import j
from gradlab.symbolic.derivative_code import ball_derivative, ball_hessian
from gradlab.symbolic.derivatives import PROGRAMS
from gradlab.symbolic.form import Form
from gradlab.symbolic.forms import FORMS
from gradlab.symbolic.map_code import ball_factor, ball_map, ball_term, numpy_factor, numpy_map, numpy_term
from gradlab.symbolic.numpy_code import as_numpy, name_of, numpy_assignment
from gradlab.symbolic.options import (
    DENOMINATORS,
    KEPT,
    LABEL_OPTIONS,
    LOGIT_MAPS,
    OPTIONS,
    REDUCTIONS,
    ROW_FACTORS,
    ROW_TERMS,
    SHARES,
    TARGETS,
    coefficient,
)
from gradlab.symbolic.routine import Routine, identifier, source_of, table

COMMAND = "python -m gradlab.symbolic.generate"
FOLDER = Path(__file__).parent.parent / "reference"

_FIRST_LINE = f"# Generated from the definitions by `{COMMAND}`: do not edit."
_QUIET = '@np.errstate(all="ignore")\n'
_OPTIONS = {name: option for name, option in OPTIONS.items() if name not in LABEL_OPTIONS}
_WITHOUT_VALUE = (  # a rule of the domain, not of the formula
    "has_value = np.isfinite(np.max(logits, axis=1, keepdims=True))",
    "logits = np.where(has_value, logits, logits.dtype.type(np.nan))",
)
_T = {target: coefficient(target, tuple(_OPTIONS)) for target in TARGETS}


def numpy_module() -> str:
    """The source of gradlab/reference/numpy_forms.py."""
    head = f'''{_FIRST_LINE}
"""The options of the objective for a batch of N rows in NumPy: coefficients, maps, terms, factors, denominators.

Logits, targets and coefficients have shape (N, K), labels and what is one number for each row (N,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
'''
    maps = [numpy_map(name, one) for name, one in LOGIT_MAPS.items()]
    terms = [numpy_term(name, one) for name, one in ROW_TERMS.items()]
    factors = [numpy_factor(name, one) for name, one in ROW_FACTORS.items()]
    means = [_numpy_denominators(rule, target) for target in TARGETS for rule in DENOMINATORS]
    options = [*_NUMPY_OPTIONS, *maps, *terms, *factors, *means]
    code = [source_of(routine, _QUIET) for routine in options]
    tables = [
        table("LOGIT_MAPS", LOGIT_MAPS, "Callable[[Any, Any], tuple[Any, Any]]", "map_"),
        table("ROW_TERMS", ROW_TERMS, "Callable[[Any, Any, Any, Any], tuple[Any, Any, Any]]", "term_"),
        table("ROW_FACTORS", ROW_FACTORS, "Callable[[Any], tuple[Any, Any]]", "factor_"),
        table("INDEX_DENOMINATORS", DENOMINATORS, "Callable[[Array, Array, Array, int], Array]", "index_"),
        table("PROBABILITY_DENOMINATORS", DENOMINATORS, "Callable[[Array], Array]", "probability_"),
    ]
    return "\n\n".join([head, *code, "\n".join(tables)])


def ball_module() -> str:
    """The source of gradlab/reference/ball_forms.py."""
    forms = [_ball_routine(form) for form in FORMS.values()]
    head = f'''{_FIRST_LINE}
"""Loss and gradient of every form, and the options' coefficients, for one row in ball arithmetic.

Each answer encloses the exact value at the inputs, whatever the working precision (flint.ctx.prec) is; it costs O(K),
the Hessian O(K^2). Logits must be finite. A reduction takes all rows' losses and denominators.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

from flint import arb

_ZERO = arb(0)
'''
    maps = [ball_map(name, one) for name, one in LOGIT_MAPS.items()]
    terms = [ball_term(name, one) for name, one in ROW_TERMS.items()]
    factors = [ball_factor(name, one) for name, one in ROW_FACTORS.items()]
    means = [_ball_denominator(rule, target) for target in TARGETS for rule in DENOMINATORS]
    options = [*_BALL_OPTIONS, *maps, *terms, *factors, *means]
    routines = [
        *forms,
        ball_hessian(),
        *(ball_derivative(name, _IN_BALLS) for name in PROGRAMS),
        *options,
        *map(_ball_reduction, REDUCTIONS),
    ]
    tables = [
        table("FORMS", FORMS, "Callable[[list[arb], list[arb]], tuple[arb, list[arb]]]"),
        table("REDUCTIONS", REDUCTIONS, "Callable[[list[arb], list[arb]], tuple[Any, Any]]", "reduce_"),
        table("LOGIT_MAPS", LOGIT_MAPS, "Callable[[arb, arb], tuple[arb, arb]]", "map_"),
        table("ROW_TERMS", ROW_TERMS, "Callable[[arb, arb, arb, arb], tuple[arb, arb, arb]]", "term_"),
        table("ROW_FACTORS", ROW_FACTORS, "Callable[[arb], tuple[arb, arb]]", "factor_"),
        table("INDEX_DENOMINATORS", DENOMINATORS, "Callable[[int, list[arb], arb, int], arb]", "index_"),
        table("PROBABILITY_DENOMINATORS", DENOMINATORS, "Callable[[arb], arb]", "probability_"),
    ]
    return "\n\n".join([head, *[source_of(routine, "") for routine in routines], "\n".join(tables)])


def numpy_routine(form: Form) -> Routine:
    """The NumPy function of one form."""
    lines = [
        *_WITHOUT_VALUE,
        "coefficients = coefficients.astype(logits.dtype)",
        *(numpy_assignment(binding) for binding in form.bindings),
        f"losses = {as_numpy(form.loss, ())}",
        f"gradient = {as_numpy(form.gradient)}",
        "return losses[:, 0], gradient",
    ]
    signature = f"{identifier(form.name)}(logits: Array, coefficients: Array) -> tuple[Array, Array]"
    says = f"Losses and gradient: {form.idea}."
    return Routine(signature, says, _with_classes(lines, "np.arange(logits.shape[1])"))


def numpy_source(form: Form) -> str:
    """The source of the NumPy function of one form."""
    return source_of(numpy_routine(form), _QUIET)


def _ball_routine(form: Form) -> Routine:
    lines = [
        *(ball_assignment(binding) for binding in form.bindings),
        f"loss = {as_ball(form.loss)}",
        f"gradient = {ball_list(form.gradient, j)}",
        "return loss, gradient",
    ]
    signature = f"{identifier(form.name)}(logits: list[arb], coefficients: list[arb]) -> tuple[arb, list[arb]]"
    return Routine(signature, f"Loss and gradient: {form.idea}.", _with_classes(lines, "range(len(logits))"))


def _option_parameters(scalar: str, array: str) -> str:
    """The options' letters as parameters: an array where there is one value for each class."""
    kinds = {option.letter: array if isinstance(option.letter, IndexedBase) else scalar for option in _OPTIONS.values()}
    return ", ".join(f"{name_of(letter)}: {kind}" for letter, kind in kinds.items())


_LABEL = "label = labels[:, None]"
_IN_NUMPY = _option_parameters("float", "Array")
_IN_BALLS = _option_parameters("arb", "list[arb]")

_NUMPY_OPTIONS = (
    Routine(
        f"coefficients_index(labels: Array, n_classes: int, {_IN_NUMPY}) -> Array",
        "Coefficients of index targets, shape (N, K); class_weights has shape (K,).",
        [
            _LABEL,
            "classes = np.arange(n_classes)",
            f"coefficients: Array = {as_numpy(_T['index'])}",
            "return coefficients",
        ],
    ),
    Routine(
        f"coefficients_probability(targets: Array, {_IN_NUMPY}) -> Array",
        "Coefficients of probability targets, shape (N, K), in float64.",
        [
            "targets = targets.astype(np.float64)",
            "n_classes = targets.shape[1]",
            f"coefficients: Array = {as_numpy(_T['probability'])}",
            "return coefficients",
        ],
    ),
    Routine(
        "kept(labels: Array, ignore_index: int) -> Array",
        "0 for an ignored row and 1 for another, shape (N, 1): what its coefficients are multiplied by.",
        [_LABEL, f"column: Array = {as_numpy(KEPT)}", "return column"],
    ),
)

_BALL_OPTIONS = (
    Routine(
        f"coefficients_index(label: int, n_classes: int, {_IN_BALLS}) -> list[arb]",
        "Coefficients of an index target.",
        ["classes = range(n_classes)", f"return {ball_list(_T['index'], j)}"],
    ),
    Routine(
        f"coefficients_probability(targets: list[arb], {_IN_BALLS}) -> list[arb]",
        "Coefficients of probability targets.",
        ["n_classes = len(targets)", "classes = range(n_classes)", f"return {ball_list(_T['probability'], j)}"],
    ),
)


_IN_DENOMINATOR = "{} to the denominator of a mean over {}, with {} targets"


def _numpy_denominators(rule: str, target: str) -> Routine:
    index = target == "index"
    given = "labels: Array, class_weights: Array, sample_weights: Array, ignore_index: int"
    own = _product([as_numpy(factor, ()) for factor in Mul.make_args(DENOMINATORS[rule][target])])
    lines = [
        *([_LABEL] if "label" in " ".join(own) else []),
        "sample_weights = sample_weights[:, None]",
        *own,
        "return np.broadcast_to(own, sample_weights.shape)[:, 0]",
    ]
    return Routine(
        f"{target}_{rule}({given if index else 'sample_weights: Array'}) -> Array",
        f"{_IN_DENOMINATOR.format('What each row adds', rule, target)}; shape (N,).",
        _with_classes(lines, "np.arange(len(class_weights))"),
    )


def _ball_denominator(rule: str, target: str) -> Routine:
    index = target == "index"
    given = "label: int, class_weights: list[arb], sample_weights: arb, ignore_index: int"
    factors = [as_ball(factor) for factor in Mul.make_args(DENOMINATORS[rule][target])]
    return Routine(
        f"{target}_{rule}({given if index else 'sample_weights: arb'}) -> arb",
        f"{_IN_DENOMINATOR.format('What a row adds', rule, target)}.",
        _with_classes([*_product(factors), "return arb(own)"], "range(len(class_weights))"),
    )


def _product(factors: Sequence[str]) -> list[str]:
    """Lines that multiply the factors one after another, since together they are too long for a line."""
    bracketed = [factor if factor.startswith("(") else f"({factor})" for factor in factors[1:]]
    return [f"own: Any = {factors[0]}", *(f"own = own * {factor}" for factor in bracketed)]


def _ball_reduction(name: str) -> Routine:
    return Routine(
        f"reduce_{name}(losses: list[arb], denominators: list[arb]) -> tuple[Any, Any]",
        _REDUCTION_SAYS,
        [f"return {as_ball(REDUCTIONS[name])}, {as_ball(SHARES[name])}"],
    )


_REDUCTION_SAYS = "The reduced loss, and what each row's own gradient is multiplied by."


def _with_classes(lines: Sequence[str], classes: str) -> list[str]:
    """The lines, and before them the definition of `classes` if one of them uses it."""
    used = any(re.search(r"\bclasses\b", line) for line in lines)
    return [f"classes = {classes}", *lines] if used else list(lines)


MODULES: dict[str, Callable[[], str]] = {
    "numpy_forms.py": numpy_module,
    "ball_forms.py": ball_module,
    "layer_forms.py": lambda: layer_code.numpy_module(_FIRST_LINE),
    "layer_balls.py": lambda: layer_code.ball_module(_FIRST_LINE),
}


def main() -> None:
    """Writes all modules."""
    for name, source in MODULES.items():
        (FOLDER / name).write_text(source(), encoding="utf-8")


if __name__ == "__main__":
    main()
