"""A certificate of a training in words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gradlab.trainer.certificate import Certificate, Point
from gradlab.trainer.findings import Examination
from gradlab.trainer.solver import Solution
from gradlab.trainer.stalling import REASONS, Stall, Stalls


def certificate_lines(name: str, certificate: Certificate) -> Iterator[str]:
    """The certificate, a line for each fact."""
    problem = certificate.problem
    yield (
        f"{name}: {problem.n_rows:,} rows, {problem.n_features} features, {problem.n_classes} classes;"
        f" {problem.format.name}, {problem.n_steps:,} steps of {problem.learning_rate:g}"
        + (f", batches of {problem.batch_size}" if problem.batch_size else "")
        + (f", l2 {problem.penalty.strength:g}" if problem.penalty.is_on else "")
    )
    largest = 2 / certificate.curvature.smoothness
    within = problem.learning_rate <= largest
    yield (
        f"step size: {'at most' if within else 'more than'} 2/L = {largest:.6g} (proved):"
        f" {'no step takes two points apart' if within else 'errors may grow from step to step'}"
    )
    relative = certificate.at_most / certificate.size if certificate.size else math.inf
    yield (
        f"weights: within {certificate.at_most:.3g} of exact gradient descent (proved), {relative:.2g} of their norm;"
        f" at least {certificate.at_least:.3g} from it"
    )
    yield (
        f"sound code: likely within {certificate.probable:.3g} of it, proved within {certificate.proved:.3g};"
        f" these weights are {_compared(certificate)}"
    )
    yield from point_lines(certificate.point)
    for one in certificate.named:
        yield f"looks like {one.name}: {one.sentence}"
    for one in certificate.unsettled:
        yield f"looks like {one.name}: {one.sentence}; roundings grow with it, and whether there is more cannot be told"
    if not certificate.is_likely and not certificate.named and not certificate.unsettled:
        tried = " and ".join(certificate.suspects)
        yield f"looks like more than {tried}" if tried else "looks like no known mistake of trainers"


def _compared(certificate: Certificate) -> str:
    """Where the weights are, beside those of sound code."""
    if certificate.is_likely:
        return "no further"
    return "further than is likely" if certificate.is_right else "further than is proved"


def closing_line(examination: Examination, is_met: bool) -> str:
    """Whether a trainer is as good as it may be asked, by all that was tried. is_met: by the training on the data."""
    n_facts = len({one.fact for one in examination.findings})
    if not n_facts:
        return "met" if is_met else "not met: this training does not end where it has to"
    facts = "1 fact does not hold" if n_facts == 1 else f"{n_facts} facts do not hold"
    rest = "though this training shows nothing wrong" if is_met else "and this training does not end where it has to"
    return f"not met: {facts} of small trainings, {rest}"


def _penalty_words(examination: Examination) -> str:
    """In which form the trainer takes l2, as a formula."""
    penalty, strength = examination.penalty, examination.trainer.form.strength
    half = "/2" if penalty.halved else ""
    over_rows = "/N" if strength.startswith("l2 times") else ""
    return f"l2{half}{over_rows} |W|^2, {'with' if penalty.takes_bias else 'without'} the bias"


def stall_line(stall: Stall) -> str:
    """From which step on a training on data changes nothing."""
    return f"stalls: {_since(stall)} nothing moves: {_why(stall)}"


def _separable_lines(stalls: Stalls) -> Iterator[str]:
    """From which step on the weights stay, on data that a plane parts; first those of the labels alone."""
    where = f"{stalls.dtype} stalls, where a plane parts the classes"
    labels, weights = stalls.labels, stalls.weights
    if labels and not (weights and weights.step == labels.step):
        yield f"{where}: {_since(labels)} no label's own weight moves: {_why(labels)}"
    if weights:
        yield f"{where}: {_since(weights)} no weight moves: {_why(weights)}"


def _since(stall: Stall) -> str:
    if stall.after == stall.step - 1:
        return f"from step {stall.step:,} on"
    return f"from one of steps {stall.after + 1:,} to {stall.step:,} on"


def _why(stall: Stall) -> str:
    return (
        f"{REASONS[stall.reason]}; exact descent goes on by {stall.length:.3g} (proved),"
        f" at most {stall.spacings:.3g} half spacings"
    )


def solution_lines(name: str, found: Solution) -> Iterator[str]:
    """A solution, a line for each fact."""
    problem = found.problem
    yield (
        f"{name}: {problem.n_rows:,} rows, {problem.n_features} features, {problem.n_classes} classes;"
        f" {problem.format.name}, the optimum with l2 {problem.penalty.strength:g}"
    )
    met = "met" if found.is_right else "not met"
    yield f"gradient: its norm is at most {found.point.gradient:.3g} (proved), may be {found.allowed:.3g}: {met}"
    yield from point_lines(found.point)


def point_lines(point: Point) -> Iterator[str]:
    """The loss, and the optimum where it is proved to be anywhere."""
    yield f"loss: in [{point.least_loss:.15g}, {point.most_loss:.15g}] (proved)"
    if math.isfinite(point.above_optimum):
        yield (
            f"optimum: between {point.from_optimum:.6g} and {point.to_optimum:.6g} away,"
            f" its loss at most {point.above_optimum:.3g} lower (proved)"
        )
    elif math.isfinite(point.to_optimum):
        yield f"optimum: at most {point.to_optimum:.3g} away (proved): |gradient| / l2"


def examination_lines(name: str, examination: Examination) -> Iterator[str]:
    """What small trainings show: each fact that does not hold once, on the training of the fewest steps."""
    wrong = {id(one.problem) for one in examination.findings}
    right = max(examination.n_trainings - len(wrong), 0)
    yield f"{name}: {right} of {examination.n_trainings} small trainings are right"
    if examination.trainer.way:
        yield f"batches: {examination.trainer.way.sentence}"
    if examination.penalty.is_on:
        yield f"penalty: {_penalty_words(examination)}"
    if examination.stalls:
        yield from _separable_lines(examination.stalls)
    facts = dict.fromkeys(one.fact for one in examination.findings)
    for fact in facts:
        failing = [one for one in examination.findings if one.fact == fact]
        first = min(failing, key=lambda one: one.problem.n_steps)
        yield f"FAIL {fact} ({len(failing)} of {examination.n_trainings}): {first.seen}"
        for named in examination.named.get(fact, {}).values():
            yield f"looks like {named.name}: {named.sentence}"
