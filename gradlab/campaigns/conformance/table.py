"""The table of disputed cases, one entry each: the question, what tells the rules apart, and the known rules."""

from __future__ import annotations

from gradlab.campaigns.conformance import domain_cases, objective_cases
from gradlab.campaigns.conformance.case import Case

CASES: dict[str, Case] = {**objective_cases.CASES, **domain_cases.CASES}
