"""Mistakes that are in no catalogue, by kind."""

from __future__ import annotations

from tests.localisation.at_places import AT_PLACES
from tests.localisation.at_sizes import AT_SIZES
from tests.localisation.by_numbers import BY_NUMBERS
from tests.localisation.in_steps import IN_STEPS
from tests.localisation.made_of_terms import MADE_OF_TERMS

MISTAKES = {**AT_PLACES, **AT_SIZES, **BY_NUMBERS, **IN_STEPS, **MADE_OF_TERMS}
