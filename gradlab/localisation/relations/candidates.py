"""All relations that are tried, the plainest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from gradlab.localisation.relations.batches import (
    gradients_centred,
    gradients_of_counted_rows,
    gradients_of_orders,
    losses_of_batches,
)
from gradlab.localisation.relations.combined import gradients_of_two_terms, losses_of_two_terms
from gradlab.localisation.relations.exponentials import gradients_of_exponentials, losses_of_exponentials
from gradlab.localisation.relations.kept import (
    gradients_of_largest,
    gradients_of_mass,
    gradients_of_some_classes,
    losses_of_largest,
    losses_of_mass,
    losses_of_some_classes,
)
from gradlab.localisation.relations.logits import gradients_of_logits, losses_of_logits
from gradlab.localisation.relations.numbers import (
    factor_of_gradient,
    factor_of_loss,
    factors,
    limits,
    nearness,
    offsets,
    rounded,
    values,
    worked_out,
)
from gradlab.localisation.relations.online import gradients_online, losses_online
from gradlab.localisation.relations.places import (
    OTHER_LABELS,
    OTHER_LOGITS,
    OTHER_MEMORY,
    with_other_labels,
    with_other_logits,
    with_other_memory,
    with_other_rows,
    with_rows_lost,
    with_shared_targets,
)
from gradlab.localisation.relations.probabilities import (
    factors_of_entries,
    gradients_of_probabilities,
    losses_of_probabilities,
)
from gradlab.localisation.relations.quantised import gradients_of_steps, losses_of_steps
from gradlab.localisation.relations.relation import (
    Predict,
    Relation,
    denominator,
    gradient_by_logits,
    hot,
    over,
    reduced,
    row_losses,
    shares,
)
from gradlab.localisation.relations.row_losses import losses_of_rows
from gradlab.localisation.relations.shifts import gradients_of_shifts, losses_of_shifts
from gradlab.localisation.relations.sums import gradients_of_sums, losses_of_sums
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.problem import Array


def gradients(some: Sequence[Outcome]) -> Iterator[Relation]:
    yield from values(lambda one: one.seen.true_gradient)
    yield from factors([factor_of_gradient(one) for one in some], lambda one: one.seen.true_gradient)
    if any(one.problem.ignored_rows.any() for one in some):
        yield Relation("is as if no row were ignored", lambda one: gradient_by_logits(one, one.problem.mapped64))
    yield from with_other_labels()
    yield from with_shared_targets()
    yield from with_other_rows(some)
    yield from with_rows_lost()
    yield from with_other_logits()
    yield from with_other_memory()
    yield Relation("is transposed", lambda one: _transposed(one.seen.true_gradient))
    yield Relation("is that of the transposed logits, transposed", _gradient_of_transposed)
    for words, order in _ORDERS.items():
        yield Relation(f"has {words}", partial(_reordered, order=order))
    off = max(float(np.nanmax(one.deviations[one.wrong_rows], initial=0.0)) for one in some)
    undivided = [one.seen.gradient[one.wrong_entries] * denominator(one) for one in some]
    yield from rounded(undivided, lambda one: one.seen.true_gradient, off, nearness(some))
    yield from offsets(some, lambda one: one.seen.gradient - one.seen.true_gradient, lambda one: one.seen.true_gradient)
    yield from limits([one.seen.gradient[one.wrong_entries] for one in some], lambda one: one.seen.true_gradient)
    yield from gradients_of_probabilities(some)
    yield from gradients_of_logits(some)
    yield from gradients_of_sums(some)
    yield from gradients_of_counted_rows()
    yield from gradients_of_orders()
    yield from gradients_centred()
    yield from gradients_of_some_classes()
    yield from gradients_of_largest(some)
    yield from gradients_of_mass()
    yield from gradients_of_steps()
    yield from gradients_of_shifts()
    yield from gradients_online()
    yield from gradients_of_exponentials()
    for words, entries in _ENTRIES.items():
        if all(not (one.wrong_entries & ~entries(one)).any() for one in some):
            yield from at_entries(words, entries, some)
    yield from _columns(some)
    yield from gradients_of_two_terms(some)
    yield from worked_out(lambda one: one.seen.gradient, lambda one: one.seen.true_gradient, some)


def losses(some: Sequence[Outcome]) -> Iterator[Relation]:
    yield from values(lambda one: one.seen.true_loss)
    yield from factors([factor_of_loss(one) for one in some], lambda one: one.seen.true_loss)
    if any(one.problem.ignored_rows.any() for one in some):
        yield Relation("is as if no row were ignored", lambda one: reduced(one, row_losses(one)))
    yield Relation("is exp of what it should be", lambda one: np.exp(one.seen.true_loss))
    single = [one for one in some if one.problem.n_rows == 1] or some
    off = max(one.loss_deviation for one in some)
    yield from rounded([one.seen.loss for one in single], lambda one: one.seen.true_loss, off, nearness(some))
    yield from offsets(some, lambda one: one.seen.loss - one.seen.true_loss, lambda one: one.seen.true_loss)
    yield from limits([one.seen.loss.ravel() for one in some], lambda one: one.seen.true_loss)
    yield from losses_of_probabilities(some)
    yield from losses_of_logits(some)
    yield from losses_of_sums(some)
    yield from losses_of_rows(some)
    yield Relation("leaves out the last row", lambda one: over(one, row_losses(one)[:-1]))
    yield Relation("leaves out the first row", lambda one: over(one, row_losses(one)[1:]))
    yield Relation("is that of the first row alone", lambda one: np.asarray(row_losses(one)[0]))
    yield Relation("is that of the last row alone", lambda one: np.asarray(row_losses(one)[-1]))
    yield Relation("is the largest of the rows", lambda one: np.asarray(row_losses(one).max()))
    for words, labels in OTHER_LABELS.items():
        yield Relation(f"is that of {words}", partial(_loss_of_labels, labels=labels))
    for words, change in OTHER_LOGITS.items():
        yield Relation(f"is that of {words}", partial(_loss_of_logits, change=change))
    for words, logits in OTHER_MEMORY.items():
        yield Relation(f"is that of {words}", partial(_loss_of_memory, logits=logits))
    yield Relation("is that of the transposed logits", partial(_loss_of_memory, logits=_transposed_logits))
    yield from losses_of_batches()
    yield from losses_of_some_classes()
    yield from losses_of_largest()
    yield from losses_of_mass()
    yield from losses_of_steps()
    yield from losses_of_shifts()
    yield from losses_online()
    yield from losses_of_exponentials()
    yield from losses_of_two_terms(some)
    yield from worked_out(lambda one: one.seen.loss, lambda one: one.seen.true_loss, some)


def row_losses_counted(some: Sequence[Outcome], rows_of: Callable[[Outcome], Array]) -> Iterator[Relation]:
    """The losses of these rows count so many times, the others once."""

    def share(one: Outcome) -> Array:
        return over(one, row_losses(one)[rows_of(one)])

    def counted(one: Outcome, value: float) -> Array:
        losses = row_losses(one)
        some = value * losses if value else np.zeros_like(losses)  # of an infinite loss too
        return over(one, np.where(rows_of(one), some, losses))

    with np.errstate(all="ignore"):
        seen = [float(1 + (one.seen.loss - one.seen.true_loss) / share(one)) for one in some]
    known = [value for value in seen if np.isfinite(value)]
    middle = float(np.median(known)) if known else np.nan
    for value in dict.fromkeys((round(middle, 3) + 0.0, float(f"{middle:.3g}"), middle)):
        yield Relation(
            f"of such a row counts {value:.5g} times",
            partial(counted, value=value),
        )


def _loss_of_logits(one: Outcome, change: Callable[[Array], Array]) -> Array:
    return reduced(one, row_losses(one, logits=change(one.problem.mapped64)))


def _loss_of_memory(one: Outcome, logits: Callable[[Outcome], Array]) -> Array:
    return reduced(one, row_losses(one, logits=logits(one)))


def _loss_of_labels(one: Outcome, labels: Callable[[Outcome], Array]) -> Array:
    return reduced(one, row_losses(one, labels(one)))


_ORDERS: dict[str, Callable[[Array], Array]] = {
    "its classes in reverse order": lambda classes: classes[::-1],
    "its classes rolled by one": lambda classes: np.roll(classes, 1),
    "its classes rolled back by one": lambda classes: np.roll(classes, -1),
    "the classes of each pair swapped": lambda classes: np.minimum(classes ^ 1, len(classes) - 1),
    "each four classes in reverse": lambda classes: np.minimum(classes ^ 3, len(classes) - 1),
}


def _reordered(one: Outcome, order: Callable[[Array], Array]) -> Array:
    return np.asarray(one.seen.true_gradient[:, order(np.arange(one.problem.n_classes))])


_ENTRIES: dict[str, Callable[[Outcome], Array]] = {
    "the label's entry": lambda one: hot(one, labels_of(one.problem)),
    "the entry of class 0": lambda one: hot(one, 0 * labels_of(one.problem)),
    "the entry of the last class": lambda one: hot(one, 0 * labels_of(one.problem) + one.problem.n_classes - 1),
    "the entry of the largest logit": lambda one: hot(one, one.problem.logits64.argmax(axis=1)),
    "the entry of a logit of -inf": lambda one: one.problem.logits64 == -np.inf,
    "every entry but the label's": lambda one: ~hot(one, labels_of(one.problem)),
    "the entry of every negative logit": lambda one: one.problem.logits64 < 0,
    "the entry of every class after the label": lambda one: _class_less_label(one) > 0,
    "the entry of every class before the label": lambda one: _class_less_label(one) < 0,
}


def _class_less_label(one: Outcome) -> Array:
    return np.asarray(np.arange(one.problem.n_classes)[None] - labels_of(one.problem)[:, None])


def at_entries(words: str, entries: Callable[[Outcome], Array], some: Sequence[Outcome]) -> Iterator[Relation]:
    """Some entries are NaN, 0, a multiple, or off by a constant; the others are right."""

    def patched(change: Predict) -> Predict:
        return lambda one: np.where(entries(one), change(one), one.seen.true_gradient)

    for inner in values(lambda one: one.seen.true_gradient):
        yield Relation(f"is right but for {words}, which {inner.said}", patched(inner.predict))
    for inner in factors_of_entries():
        yield Relation(f"is right but for {words}, which {inner.said}", patched(inner.predict))
    for inner in factors([_factor_at(one, entries) for one in some], lambda one: one.seen.true_gradient):
        yield Relation(f"is right but for {words}, which {inner.said}", patched(inner.predict))


def _factor_at(one: Outcome, entries: Callable[[Outcome], Array]) -> float:
    marks = entries(one) & one.wrong_entries
    with np.errstate(all="ignore"):
        return float(np.median(one.seen.gradient[marks] / one.seen.true_gradient[marks])) if marks.any() else np.nan


def _columns(some: Sequence[Outcome]) -> Iterator[Relation]:
    """The entries from a class on are 0 or NaN; or these classes are left out."""
    first = min(int(np.flatnonzero(one.wrong_entries.any(axis=0))[0]) for one in some)
    filled = [np.flatnonzero(np.nan_to_num(one.seen.gradient[one.wrong_rows]).any(axis=0)) for one in some]
    for start in dict.fromkeys((first, max((int(one[-1]) + 1 for one in filled if one.size), default=0))):
        if start and any(one.problem.n_classes > start for one in some):
            for inner in values(lambda one: one.seen.true_gradient):
                yield Relation(f"{inner.said} from class {start} on", _from_class(start, inner.predict))
            yield Relation(f"is that of the first {start} classes alone", partial(_counting_first, count=start))


def _from_class(start: int, inner: Predict) -> Predict:
    def predict(one: Outcome) -> Array:
        return np.where(np.arange(one.problem.n_classes) >= start, inner(one), one.seen.true_gradient)

    return predict


def _counting_first(one: Outcome, count: int) -> Array:
    """The gradient as it is where only the first classes are counted; a label beyond them is the last of them."""
    labels, x = labels_of(one.problem), one.problem.mapped64[:, :count]
    p = np.zeros(one.problem.logits.shape)
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        p[:, : x.shape[1]] = e / (e.sum(axis=1, keepdims=True) * denominator(one))
    return np.asarray(p - shares(one, np.minimum(labels, count - 1)))


def _transposed_logits(one: Outcome) -> Array:
    return _transposed(one.problem.mapped64)


def _gradient_of_transposed(one: Outcome) -> Array:
    x = one.problem.mapped64
    return gradient_by_logits(one, x.T).T if x.shape[0] == x.shape[1] else np.full_like(x, np.nan)


def _transposed(values: Array) -> Array:
    return values.T if values.shape[0] == values.shape[1] else np.full_like(values, np.nan)
