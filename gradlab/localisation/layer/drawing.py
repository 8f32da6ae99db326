"""Fresh problems of the layer: those of the families with other seeds, and drawn ones near the ends of a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

import numpy as np

from gradlab.evaluation.claims import Claims
from gradlab.layer.call import adapt_layer_to_claims
from gradlab.layer.families import layer_family_problems
from gradlab.layer.families.options import layer_option_problems
from gradlab.layer.families.placing import draw
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.localisation.layer.fitting import Foretold
from gradlab.localisation.layer.rule import LayerRule
from gradlab.localisation.layer.trial import LayerOutcome
from gradlab.problems.dtypes import Format

SMALL = (1, 2, 3, 4, 5, 7, 9)
STRENGTHS = (0.0, 0.1, 0.5, 2.0)
TRIED = 60  # draws for one problem of a side
AT_ONCE = 120  # fresh problems
SEEDS = (101, 102)  # of families
MULTIPLES = (960, 1000, 512)  # of 2 to 6, 8, 10, 12, 16, ... up to 500 and 512
FAR = 64  # how far beyond a threshold sizes are drawn


@dataclass(eq=False)
class Drawing:
    """Draws problems that a layer's claims let through; known: those that were asked before."""

    claims: Claims
    outcomes: Sequence[LayerOutcome]
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(16))

    def __post_init__(self) -> None:
        self.known = {one.problem.digest for one in self.outcomes}

    @property
    def format(self) -> Format:
        return self.outcomes[0].problem.format

    def fresh(self, rule: LayerRule, expects: Callable[[LayerProblem], bool]) -> Iterator[LayerProblem]:
        """Fresh problems, in turn those of which a wrong answer is expected, and others; none of them twice."""
        given = self._family_problems()
        order = [given[place] for place in self.rng.permutation(len(given))]
        sources = (list(self._drawn(rule)), list(self._redrawn()), order)
        sides = [[one for one in each if expects(one) is mark] for each in sources for mark in (True, False)]
        for problem in chain(*zip_longest(*sides)):
            if problem is not None and problem.digest not in self.known:
                self.known.add(problem.digest)
                yield problem

    def at_extent(self, name: str, value: int, others: LayerRule) -> LayerProblem | None:
        """A problem of so many rows (N), features (D) or classes (K) that meets a rule; None where none was drawn."""
        for _ in range(TRIED):
            problem = self._draw({**self._sizes(LayerRule()), name: value})
            if others.expects(problem):
                return problem
        return None

    def round_ones(self) -> Iterator[LayerProblem]:
        """Problems whose rows, features or classes are a multiple of most sizes of blocks."""
        for name in "NDK":
            for size in MULTIPLES:
                yield self._draw({**dict.fromkeys("NDK", 3), name: size})

    def apart(self, one: Foretold, other: Foretold) -> LayerProblem | None:
        """A problem for which two that were told foretell different outputs; None where none was drawn."""
        for place in range(TRIED):
            few = {name: int(self.rng.integers(2, 5)) for name in "NDK"}
            problem = self._draw({**few, "NKD"[place % 3]: int(self.rng.integers(2, 4 * FAR))})
            if problem.digest not in self.known and one.differs_from(other, problem):
                self.known.add(problem.digest)
                return problem
        return None

    def _family_problems(self) -> list[LayerProblem]:
        found = [one for seed in SEEDS for one in layer_family_problems(self.format, "quick", seed)]
        if self.claims.options:
            for reduction in self.claims.reduction:
                for rule in self.claims.mean_over:
                    found += layer_option_problems(self.format, SEEDS[0], reduction, rule)
        return [adapt_layer_to_claims(self.claims, one) for one in found]

    def _drawn(self, rule: LayerRule) -> Iterator[LayerProblem]:
        """Problems of sizes near to those that a rule speaks of."""
        for _ in range(AT_ONCE):
            yield self._draw(self._sizes(rule))

    def _redrawn(self) -> Iterator[LayerProblem]:
        """Problems that were answered, wrong ones and right ones alike, with other numbers or in other batches."""
        sides = [[one.problem for one in self.outcomes if one.is_wrong is mark] for mark in (True, False)]
        for place in range(AT_ONCE):
            side = sides[place % 2] or sides[0] or sides[1]
            if side:
                yield self._draw_like(side[int(self.rng.integers(len(side)))])

    def _draw_like(self, problem: LayerProblem) -> LayerProblem:
        """A problem of the same sizes, targets and objective; of one that is not moderate some of its rows again."""
        if not problem.is_moderate:
            return problem.rows(self.rng.integers(problem.n_rows, size=problem.n_rows)).replace(family="drawn")
        other = draw(self.format, self.rng, (problem.n_rows, problem.n_features, problem.n_classes))
        bias = None if problem.bias is None else other.bias
        return problem.replace(features=other.features, weight=other.weight, bias=bias, family="drawn")

    def _sizes(self, rule: LayerRule) -> dict[str, int]:
        """N, D and K: small, or near to what a rule says of them."""
        sizes = {name: int(self.rng.choice(SMALL)) for name in "NDK"}
        for one in rule.conditions:
            names = one.quantity.extents
            if one.quantity.kind == "whole" and len(names) == 1:
                further = int(self.rng.integers(-FAR, FAR)) // int(self.rng.choice([1, 8, FAR]))
                sizes[names] = max(1, int(one.value) + further)
            elif one.quantity.kind == "remainder":
                modulus = one.quantity.modulus  # half of them are multiples, which tell most of a rule on remainders
                sizes[names] = modulus * int(self.rng.integers(1, 4)) + int(self.rng.choice([0, *range(modulus)]))
                sizes[names] -= sizes[names] % modulus if self.rng.random() < 0.5 else 0
            elif one.quantity.kind == "truth" and len(names) == 2 and self.rng.random() < 0.5:
                sizes[names[0]] = sizes[names[1]]
        return sizes

    def _draw(self, sizes: dict[str, int]) -> LayerProblem:
        scale = float(self.rng.choice([0.5, 1.0, 2.0]))
        problem = draw(self.format, self.rng, (sizes["N"], sizes["D"], sizes["K"]), scale)
        strength = float(self.rng.choice(STRENGTHS))
        return adapt_layer_to_claims(self.claims, problem.replace(penalty=Penalty(strength)))
