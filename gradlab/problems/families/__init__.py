"""Named families of problems, built for the edges of each format. The table below is all of them, in running order."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.families import binades, domain, moderate, stress, tails
from gradlab.problems.problem import Problem

PROFILES = ("quick", "standard", "thorough")


@dataclass(frozen=True)
class Family:
    """A named source of problems.

    function: (format, random generator) -> problems; the same for the same state of the generator.
    stress: whether failing here means "unstable": not every correct way of writing the loss can do these.
    profile: the smallest profile that runs it. gradient_only: whether it is asked of the loss and the gradient alone,
    as it shows errors in ULP, of which there is no bound for other derivatives.
    """

    name: str
    function: Callable[[Format, np.random.Generator], list[Any]]  # problems of one scope
    stress: bool = False
    profile: str = "quick"
    gradient_only: bool = False

    @property
    def purpose(self) -> str:
        """What the family is for: the first line of its function's docstring."""
        return (self.function.__doc__ or "").splitlines()[0]


FAMILIES = (
    Family("smallest", moderate.smallest),
    Family("moderate", moderate.moderate),
    Family("every_label", moderate.every_label),
    Family("one_row", moderate.one_row),
    Family("one_class", moderate.one_class),
    Family("empty_batch", moderate.empty_batch),
    Family("moderate_extremes", moderate.moderate_extremes),
    Family("round_numbers", moderate.round_numbers),
    Family("long_batch", moderate.long_batch),
    Family("many_classes", moderate.many_classes),
    Family("many_shapes", moderate.many_shapes),
    Family("random_sums", moderate.random_sums),
    Family("margins", stress.margins, stress=True),
    Family("unshifted_exp", stress.unshifted_exp, stress=True),
    Family("one_of_many", stress.one_of_many, stress=True),
    Family("common_offsets", stress.common_offsets, stress=True),
    Family("extreme_spread", stress.extreme_spread, stress=True),
    Family("ties", stress.ties, stress=True),
    Family("subnormal_probabilities", stress.subnormal_probabilities, stress=True),
    Family("subnormal_logits", stress.subnormal_logits, stress=True),
    Family("ulp_neighbours", stress.ulp_neighbours, stress=True),
    Family("binades", binades.binades, stress=True, gradient_only=True),
    Family("clusters", stress.clusters, stress=True),
    Family("log_uniform_scales", stress.log_uniform_scales, stress=True),
    Family("confident", stress.confident, stress=True),
    Family("many_equal", stress.many_equal, stress=True),
    Family("equal_tails", tails.equal_tails, stress=True, gradient_only=True),
    Family("levels_of_equals", tails.levels_of_equals, stress=True, gradient_only=True),
    Family("vanishing_tails", tails.vanishing_tails, stress=True, gradient_only=True),
    Family("noisy_tails", tails.noisy_tails, stress=True, gradient_only=True),
    Family("masked", domain.masked, stress=True),
    Family("masked_tiles", domain.masked_tiles, stress=True),
    Family("masked_target", domain.masked_target, stress=True),
    Family("only_masked", domain.only_masked, stress=True),
    Family("infinite", domain.infinite, stress=True),
    Family("nan", domain.nan, stress=True),
    Family("grid", moderate.grid, profile="standard"),
    Family("wide_uniform", stress.wide_uniform, stress=True, profile="standard"),
    Family("rising_and_falling", stress.rising_and_falling, stress=True, profile="standard"),
    Family("all_binades", binades.all_binades, stress=True, profile="standard", gradient_only=True),
    Family("long_tails", tails.long_tails, stress=True, profile="standard", gradient_only=True),
    Family("many_equal_rows", moderate.many_equal_rows, profile="standard"),
    Family("large_shapes", moderate.large_shapes, profile="standard"),
    Family("longer_random_sums", moderate.longer_random_sums, profile="standard"),
    Family("vocabulary", moderate.vocabulary, profile="thorough"),
    Family("longest_tails", tails.longest_tails, stress=True, profile="thorough", gradient_only=True),
)


def families_of(profile: str, families: Sequence[Family] = FAMILIES) -> tuple[Family, ...]:
    """The families that a profile runs, in running order: its own and those of the smaller profiles.

    Raises ValueError for an unknown profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, got {profile!r}")
    included = PROFILES[: PROFILES.index(profile) + 1]
    return tuple(family for family in families if family.profile in included)


def problems_in(family: Family, fmt: Format, seed: int) -> list[Any]:
    """The problems of a family for a format, each marked with its name; the same for the same seed."""
    rng = np.random.default_rng([seed, zlib.crc32(family.name.encode())])
    return [problem.replace(family=family.name) for problem in family.function(fmt, rng)]


def family_problems(fmt: Format, profile: str, seed: int) -> list[Problem]:
    """The problems of all families of a profile for a format, in running order."""
    return [problem for family in families_of(profile) for problem in problems_in(family, fmt, seed)]
