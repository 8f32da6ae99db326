"""The band of single logits in which something goes wrong: found, its ends bisected, and fresh problems foretold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gradlab.localisation.band_ends import narrowed, single_row
from gradlab.localisation.bands import Band, entry_bands, row_bands
from gradlab.localisation.evidence import Effect, Evidence, effect_of
from gradlab.localisation.investigation import AT_MOST, Investigation
from gradlab.localisation.relations.candidates import at_entries
from gradlab.localisation.relations.relation import Relation, gradient_by_logits, reduced, row_losses, shares
from gradlab.localisation.trial import Outcome, Trial
from gradlab.localisation.varying import cheap, labels_of, varied
from gradlab.localisation.where import ENOUGH, MIN_FORETOLD
from gradlab.problems.problem import Array

TRIED = 4  # bands that are looked into
ASKED = 3  # rows with an entry at a value, of which the first that shows something tells
FRESH = 130  # fresh problems that are drawn at most
REFUTED = 3  # that come out otherwise, after which another band is looked for


@dataclass(frozen=True)
class InBand:
    """A band, what comes out where an entry lies in it, and how often it foretold fresh problems."""

    band: Band
    effect: Effect
    n_foretold: int
    n_fresh: int

    @property
    def is_settled(self) -> bool:
        """Whether it may be said."""
        return self.n_fresh >= ENOUGH / 2 and self.n_foretold >= MIN_FORETOLD * self.n_fresh

    @property
    def place(self) -> str:
        """Where, in words."""
        return f"in {'the entries' if self.band.own else 'rows with an entry'} of which {self.band.said}"

    @property
    def where(self) -> str:
        """In words."""
        return f"wrong only {self.place}"


def where_in_bands(investigation: Investigation, *, own: bool) -> InBand | None:
    """The first band that foretells fresh problems; None where none does. own: of wrong entries beside right ones."""
    if own and investigation.effect.gradient is not None:
        return None
    tried = 0
    for band in (entry_bands if own else row_bands)(investigation.evidence, investigation.effect):
        tried += 1
        if tried > TRIED or investigation.laboratory.is_spent:
            return None
        rng = np.random.default_rng([tried, 16])
        found = narrowed(band, partial(_is_wrong_at, investigation, band, rng))
        if found is None:
            continue
        result = _foretold(investigation, found, rng)
        if result.is_settled:
            return result
    return None


def _is_wrong_at(investigation: Investigation, band: Band, rng: np.random.Generator, value: float) -> bool | None:
    """Whether a row with an entry at a value is answered wrongly; None where that could not be asked."""
    like = min((one.problem for one in investigation.wrong), key=lambda problem: problem.logits.size)
    answered = None
    for _ in range(ASKED):
        trial = single_row(like, band, value, rng)
        outcome = None if trial is None else investigation.ask(trial)
        if outcome is not None and outcome.is_wrong:
            return True
        answered = answered if outcome is None else False
    return answered


def _foretold(investigation: Investigation, band: Band, rng: np.random.Generator) -> InBand:
    """How often the band foretells fresh problems, as many with an entry in it as without."""
    effect = _effect(investigation, band)
    n_foretold = n_fresh = 0
    for count in range(FRESH):
        if n_fresh >= ENOUGH or n_fresh - n_foretold >= REFUTED:
            break
        trial = _drawn(investigation, band, rng, inside=bool(count % 2))
        outcome = None if trial is None else investigation.ask(trial)
        found = None if outcome is None else _as_said(band, effect, investigation.evidence[-1])
        n_fresh += found is not None
        n_foretold += found is True
    return InBand(band, effect, n_foretold, n_fresh)


def _drawn(investigation: Investigation, band: Band, rng: np.random.Generator, inside: bool) -> Trial | None:
    small = sorted(investigation.wrong, key=lambda one: one.problem.logits.size)[: 3 * AT_MOST]
    base = small[int(rng.integers(len(small)))].trial
    trial = replace(base, problem=cheap(varied(base.problem, rng, investigation.masks)))
    trial = band.met(trial, rng) if inside else band.unmet(trial, rng)
    return trial if band.rows_of(trial).any() == inside else None


def _as_said(band: Band, effect: Effect, seen: Evidence) -> bool | None:
    """Whether an outcome is as the band says; None where a mistake that it expects could not be seen."""
    outcome = seen.outcome
    expected = band.rows_of(outcome.trial)
    if outcome.is_wrong or not expected.any():
        return bool(expected.any()) == outcome.is_wrong
    if effect.gradient is None and band.own:
        shows = np.abs(outcome.seen.true_gradient) * effect.deviation > 4 * outcome.seen.gradient_bound
        return False if (shows & band.marks(outcome.problem)).any() else None
    whole = Evidence(outcome, np.arange(len(expected)), np.zeros((0, 0)), expected)
    return False if (expected & whole.telling(effect)).any() else None


def _effect(investigation: Investigation, band: Band) -> Effect:
    """What comes out, told by relations of the entries in the band, too."""
    wrong = [one for one in investigation.wrong if not one.raised and one.wrong_entries.any()]
    gradients = tuple(_gradients(band, wrong)) if wrong else ()
    losses = tuple(_losses(band))
    known = investigation.suggested
    suggested = replace(known, gradients=gradients, losses=losses)
    return effect_of(investigation.evidence, suggested, investigation.tried)


def _gradients(band: Band, wrong: Sequence[Outcome]) -> Iterator[Relation]:
    if band.own:
        yield from at_entries("each of these entries", lambda one: band.marks(one.problem), wrong)
        yield Relation("is as if p of each of these entries were 0", partial(_without_p, band=band))
    for words, value in _instead(band):
        yield Relation(f"is as if such a logit {words}", partial(_gradient_of, band=band, value=value))


def _without_p(one: Outcome, band: Band) -> Array:
    own = shares(one, labels_of(one.problem))
    return np.where(band.marks(one.problem), -own, one.seen.true_gradient)


def _losses(band: Band) -> Iterator[Relation]:
    for words, value in _instead(band):
        yield Relation(f"is as if such a logit {words}", partial(_loss_of, band=band, value=value))


def _instead(band: Band) -> Iterator[tuple[str, float]]:
    """What a logit in the band may be taken for."""
    yield "were left out", -np.inf
    if band.measure == "logit":
        for value in dict.fromkeys((band.low, band.high, 0.0)):
            if np.isfinite(value):
                yield f"were {value:.4g}", value


def _changed(one: Outcome, band: Band, value: float) -> Array:
    return np.where(band.marks(one.problem), value, one.problem.mapped64)


def _gradient_of(one: Outcome, band: Band, value: float) -> Array:
    return gradient_by_logits(one, _changed(one, band, value))


def _loss_of(one: Outcome, band: Band, value: float) -> Array:
    return reduced(one, row_losses(one, logits=_changed(one, band, value)))
