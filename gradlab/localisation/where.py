"""A rule that tells what is wrong, and how well it foretold fresh problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradlab.localisation.rules import Rule

ENOUGH = 48  # fresh problems foretold rightly in a row
MIN_WRONG_AMONG_FRESH = 6  # of the fresh problems, that are wrong
MIN_FORETOLD = 0.98  # of fresh problems, to be said at all


@dataclass(frozen=True)
class Where:
    """The rule that tells what is wrong from what is right, and how often it did on fresh problems.

    n_foretold of n_fresh problems, drawn to both sides after the rule was found, were right or wrong as it says;
    n_wrong of them were wrong.
    """

    rule: Rule
    n_foretold: int
    n_fresh: int
    n_wrong: int

    def after(self, foretold: Sequence[bool], n_wrong: int) -> Where:
        """The same rule after more fresh problems: whether it foretold each, and how many of them were wrong."""
        n_foretold = self.n_foretold + sum(foretold)
        return Where(self.rule, n_foretold, self.n_fresh + len(foretold), self.n_wrong + n_wrong)

    @property
    def is_settled(self) -> bool:
        """Whether it may be said."""
        enough = self.n_fresh >= ENOUGH / (1 if self.rule.others else 2) and self.n_wrong >= MIN_WRONG_AMONG_FRESH
        return enough and self.n_foretold >= MIN_FORETOLD * self.n_fresh
