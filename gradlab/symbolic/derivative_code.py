"""The programs of other derivatives than the gradient, printed as ball arithmetic for one row."""

from __future__ import annotations

from gradlab.symbolic.ball_code import ball_assignment, ball_list
from gradlab.symbolic.definition import i, j
from gradlab.symbolic.derivatives import PROGRAMS
from gradlab.symbolic.forms import HESSIAN, HESSIAN_BINDINGS
from gradlab.symbolic.routine import Routine


def ball_hessian() -> Routine:
    """The function of the Hessian's program."""
    lines = ["classes = range(len(logits))", *(ball_assignment(one) for one in HESSIAN_BINDINGS)]
    return Routine(
        "hessian(logits: list[arb], coefficients: list[arb]) -> list[list[arb]]",
        "Second derivatives of the row's loss, K lists of K.",
        [*lines, f"return {ball_list(HESSIAN, i, j)}"],
    )


def ball_derivative(name: str, options: str) -> Routine:
    """The function of a program; options: the parameters of the options that go with probabilities."""
    program = PROGRAMS[name]
    own = "coefficients: list[arb]"
    parameters = {"hessian_vector_product": f"{own}, vector: list[arb]", "target_gradient": options}
    signature = f"{name}(logits: list[arb], {parameters.get(name, own)}) -> list[arb]"
    lines = ["classes = range(len(logits))", *(ball_assignment(one) for one in program.bindings)]
    return Routine(signature, f"{program.meaning}.", [*lines, f"return {ball_list(program.entry, j)}"])
