"""A derivation as a document: sections of numbered lines, each proved while the document is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, count

from sympy import Derivative, Expr, Indexed, IndexedBase, Symbol

from gradlab.reference import ball_forms
from gradlab.symbolic.definition import LETTERS, Binding, L, Letter, denominator, g, i, j, n, q, row_loss, t, u, x
from gradlab.symbolic.derivation import (
    SOFTMAX,
    WRITTEN_OUT,
    Chain,
    derivation,
    factor_proof,
    factor_slope,
    option_proof,
    prove,
    reduction_proof,
    term_along_logits,
    term_proof,
    term_slope,
)
from gradlab.symbolic.derivatives import PROGRAMS, definition_of, derivative_proof
from gradlab.symbolic.form import Form, form_proofs
from gradlab.symbolic.forms import FORMS, hessian_proof
from gradlab.symbolic.options import (
    DENOMINATORS,
    LABEL_OPTIONS,
    LOGIT_MAPS,
    OPTIONS,
    REDUCTIONS,
    ROW_FACTORS,
    ROW_TERMS,
    SHARES,
    TARGETS,
)
from gradlab.symbolic.proofs import Proof
from gradlab.symbolic.prose import as_text
from gradlab.symbolic.taylor import hessian_agrees, map_agrees, program_agrees

DEFINITION = "definition"
NAMES = (DEFINITION, *FORMS)
_SEED = 1


@dataclass(frozen=True)
class Line:
    """left = right, and for a step of the derivation its number, name, reason and how it was proved."""

    left: Expr
    right: Expr
    number: int = 0
    name: str = ""
    why: str = ""
    method: str = ""


@dataclass(frozen=True)
class Section:
    """A title, what is said first, lines of mathematics, and facts with how each was proved."""

    title: str
    words: str = ""
    lines: Sequence[Line] = ()
    facts: Sequence[Proof] = ()


@dataclass(frozen=True)
class Document:
    """A derivation; `letters` are those that its formulas use, with what they stand for."""

    title: str
    sections: Sequence[Section]
    letters: Sequence[tuple[Expr, Letter]]


def document(name: str) -> Document:
    """The derivation of "definition" (gradient, Hessian, options) or of a form, every line of it proved just now.

    Raises ValueError for another name, ProofError for a line that is not true.
    """
    if name not in NAMES:
        raise ValueError(f"form must be one of {', '.join(NAMES)}, got {name!r}")
    title, sections = _definition() if name == DEFINITION else _form(FORMS[name])
    used = {str(letter) for section in sections for line in section.lines for letter in _letters(line)}
    letters = {str(letter): (letter, meaning) for letter, meaning in reversed(LETTERS.items()) if str(letter) in used}
    return Document(title, sections, list(reversed(letters.values())))


def _definition() -> tuple[str, list[Section]]:
    numbers = count(1)
    chains = [_chain_section(chain, numbers, SOFTMAX) for chain in derivation()]
    program = Proof("the Hessian's program is the derivative of the gradient", hessian_proof().method)
    checks = Section(
        "Checked in another arithmetic",
        "The definition, evaluated in Taylor series of balls, bounds its derivatives. The programs meet the bounds.",
        facts=[*map(_taylor_fact, FORMS), program, hessian_agrees(ball_forms.hessian, _SEED)],
    )
    title = "From the definition of the loss to its gradient and Hessian"
    options = (_options(), _maps(), _terms(), _factors(), _reductions())
    return title, [*chains, _other_derivatives(), *options, checks]


def _form(form: Form) -> tuple[str, list[Section]]:
    numbers = count(1)
    program = [*form.bindings, Binding(L, form.loss), Binding(g[j], form.gradient)]
    loss_proof, gradient_proof = form_proofs(form)
    facts = [
        Proof("the program's loss is the defined one", loss_proof.method),
        Proof("the program's gradient is the derivative of the defined loss", gradient_proof.method),
        _taylor_fact(form.name),
    ]
    return f"The {form.name} form: {form.idea}", [
        *(_chain_section(chain, numbers, (SOFTMAX[0], *form.bindings)) for chain in form.chains),
        Section("The program", _CLOSED_FORM, [Line(binding.letter, binding.value) for binding in program], facts),
        Section("Where it breaks", f"{form.breaks[0].upper()}{form.breaks[1:]}."),
    ]


def _chain_section(chain: Chain, numbers: Iterator[int], bindings: Sequence[Binding]) -> Section:
    """The line that the chain starts from, then one line for each step, proved."""
    lines = [Line(chain.quantity, chain.steps[0].before, next(numbers), "begin with")]
    for step in chain.steps:
        method = prove(step, bindings).method
        lines.append(Line(chain.quantity, step.after, next(numbers), step.name, step.why, method))
    return Section(chain.title, lines=lines)


_CLOSED_FORM = "The gradient's closed form A p_j - t_j is derived under the form definition."


def _other_derivatives() -> Section:
    """What may be asked for in place of the gradient besides the whole Hessian, each by its program."""
    words = "The Hessian's diagonal, its product with b, and g, the loss's derivative along target q_i, others held."
    lines = [Line(binding.letter, binding.value) for binding in PROGRAMS["hessian_vector_product"].bindings[-1:]]
    for name, program in PROGRAMS.items():
        left = g[i] if name == "target_gradient" else definition_of(name)  # its definition does not fit on a line
        lines.append(Line(left, program.entry.subs(j, i), name=name, method=derivative_proof(name).method))
    return Section("Other derivatives", words, lines)


def _options() -> Section:
    """The targets, what each option makes of a target q, and that the closed form holds for every combination."""
    words = (
        "The coefficients t for a target q, with each option alone; an option changes t, and A with it, nothing else."
    )
    rules = [Line(t[j], option.rule(q[j]), name=name, why=option.meaning) for name, option in OPTIONS.items()]
    facts = [_combinations_fact(target, names) for target, names in _COMBINED.items()]
    return Section("The options", words, [Line(q[j], TARGETS["index"], name="index target"), *rules], facts)


def _maps() -> Section:
    """What becomes of the logits before the softmax, and the slopes of that."""
    words = "What the softmax gets for a logit u, each map alone; the derivative along u is multiplied by its slope."
    lines = []
    for name, one in LOGIT_MAPS.items():
        lines.append(Line(x[j], one.mapped, name=name, why=one.meaning))
        lines.append(Line(Derivative(one.mapped, u), one.slope, name="its slope"))
    facts = [map_agrees(name, ball_forms.LOGIT_MAPS[name], _SEED) for name in LOGIT_MAPS]
    return Section("The maps of the logits", words, lines, facts)


def _terms() -> Section:
    """What is added to a row's loss, and to its gradient."""
    words = "What each adds to a row's loss, and the derivative of that, which is added to A p_i - t_i."
    lines = [Line(binding.letter, binding.value) for binding in WRITTEN_OUT[len(SOFTMAX) :]]
    for name, one in ROW_TERMS.items():
        slope = Derivative(term_along_logits(one), x[i])
        lines.append(Line(slope, term_slope(one), name=name, why=one.meaning, method=term_proof(one).method))
    return Section("The terms of a row", words, lines)


def _factors() -> Section:
    """What a whole row is multiplied by."""
    words = "What a row's loss L is multiplied by before the reduction, its terms too, and the derivative of that."
    lines = []
    for name, one in ROW_FACTORS.items():
        lines.append(Line(L, one.returned * L, name=name, why=one.meaning))
        derivative = Derivative(one.differentiated * row_loss(), x[i])
        lines.append(Line(derivative, factor_slope(one), name="differentiated", method=factor_proof(one).method))
    return Section("The factors of a row", words, lines)


def _combinations_fact(target: str, names: Sequence[str]) -> Proof:
    chosen = [some for size in range(len(names) + 1) for some in combinations(names, size)]
    methods = sorted({option_proof(target, some).method for some in chosen})
    return Proof(
        f"g_i = A p_i - t_i for the {target} target with every choice of {', '.join(names)}: {len(chosen)} proofs",
        " or ".join(methods),
    )


def _reductions() -> Section:
    """The reductions, and what each makes of a row's gradient."""
    words = "The loss of N rows from the rows' losses L_n, and what each row adds to the denominator of the mean."
    lines = [Line(L, value, name=name) for name, value in REDUCTIONS.items()]
    shares = [
        Line(denominator[n], value, name=f"mean over {rule}, {target} target")
        for rule, by_target in DENOMINATORS.items()
        for target, value in by_target.items()
    ]
    facts = [
        Proof(f"{name}: the gradient of a row is its own times {as_text(share)}", reduction_proof(name).method)
        for name, share in SHARES.items()
    ]
    return Section("The reductions", words, [*lines, *shares], facts)


_COMBINED = {"index": tuple(OPTIONS), "probability": tuple(name for name in OPTIONS if name not in LABEL_OPTIONS)}


def _taylor_fact(name: str) -> Proof:
    proof = program_agrees(ball_forms.FORMS[name], _SEED)
    return Proof(f"the {name} program: {proof.statement}", proof.method)


def _letters(line: Line) -> Iterator[Expr]:
    for side in (line.left, line.right):
        yield from (entry.base for entry in side.atoms(Indexed))
        yield from side.atoms(Symbol) | side.atoms(IndexedBase)
