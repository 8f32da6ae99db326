"""The table of scopes, and which of them an implementation with these claims is in."""

from __future__ import annotations

import copyreg

from gradlab.checks.check import Check
from gradlab.evaluation.claims import Claims
from gradlab.harness.layer_scope import LAYER
from gradlab.harness.logits_scope import LOGITS
from gradlab.harness.scope import Scope
from gradlab.problems.problem import AnyProblem

SCOPES: dict[str, Scope] = {scope.name: scope for scope in (LOGITS, LAYER)}
_CHECKS = {check.name: check for scope in SCOPES.values() for check in scope.checks}


def scope_of(claims: Claims) -> Scope:
    """The scope in which an implementation with these claims is judged."""
    return SCOPES["logits" if claims.layer is None else "layer"]


def check_in_any_scope(name: str) -> Check:
    """The check of this name: no two scopes have one of the same. Raises KeyError where there is none."""
    return _CHECKS[name]


copyreg.pickle(Check, lambda check: (check_in_any_scope, (check.name,)))  # conditions are closures: they do not travel


def scope_of_problem(problem: AnyProblem) -> Scope:
    """The scope of a problem."""
    return next(scope for scope in SCOPES.values() if isinstance(problem, scope.problem_type))


def snippet(problem: AnyProblem) -> str:
    """A problem to be pasted, in one line; its size only where it is large."""
    return scope_of_problem(problem).writing.snippet(problem)
