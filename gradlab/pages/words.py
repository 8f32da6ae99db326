"""The words that a report uses, and what they mean: the levels first, from the worst to the best."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "wrong": "the mathematics is wrong somewhere",
        "unstable": "right on moderate logits, breaks on extreme ones",
        "stable": "every error is within the proved bound of the standard algorithm",
        "accurate": "every error is a few units in the last place, everywhere",
    }
)
WORDS: Mapping[str, str] = MappingProxyType(
    {
        **MEANINGS,
        "moderate": "of logits: so small that every correct way of writing the loss works, up to some 18 in float32",
        "level": "the verdict that was asked for, stable or accurate; it is met where the verdict is at least that",
        "check": "one fact that has to hold, such as rows_sum_to_zero; it is tried on many problems",
        "problem": "the arguments of one call: logits and labels, or what a layer takes; "
        "the word in brackets is its family, such as common_offsets",
        "answer": "what one call returned: a loss and a gradient, or what a layer returns",
        "known mistake": "one that gradlab has a name and a model for; the model foretells what code with it answers",
        "ULP": "the distance from one float to the next; an error of 1 ULP is one in the last bit",
        "bits lost": "log2 of twice the error in ULP: 0 for the nearest float, and all bits where no digit is right",
        "margin": "by how much the label\u2019s logit is above the other one",
        "proved": "a bound with a derivation: no sound code of the standard form is beyond it",
        "exhaustive": "the largest of all float32 margins from 0 up to 104, every one of which was tried",
        "searched": "the largest that was found on the problems tried, and nothing more",
    }
)
