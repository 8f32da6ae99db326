"""The programs of other derivatives: each is proved, and each with a defect is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Expr

from gradlab.symbolic import derivatives
from gradlab.symbolic.definition import A, b, epsilon, j, mu, p
from gradlab.symbolic.derivatives import PROGRAMS, derivative_proof
from gradlab.symbolic.proofs import SYMBOLIC, ProofError

WRONG: list[tuple[str, Expr]] = [
    ("hessian_diagonal", A * p[j]),
    ("hessian_diagonal", p[j] * (1 - p[j])),
    ("hessian_vector_product", A * p[j] * (b[j] + mu)),
    ("hessian_vector_product", A * (b[j] - mu)),
    ("target_gradient", -PROGRAMS["target_gradient"].entry),
    ("target_gradient", PROGRAMS["target_gradient"].entry / (1 - epsilon)),
]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_proved_for_symbolic_k(name: str) -> None:
    assert derivative_proof(name).method == SYMBOLIC


@pytest.mark.parametrize(("name", "entry"), WRONG)
def test_a_wrong_program_is_refused(name: str, entry: Expr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(derivatives.PROGRAMS, name, replace(PROGRAMS[name], entry=entry))
    with pytest.raises(ProofError):
        derivative_proof(name)
