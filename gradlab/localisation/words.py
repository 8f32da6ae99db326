"""Where and what in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradlab.localisation.rules import Condition, Rule

EVERYWHERE = "wrong on every problem that can show it"


def spelled_rule(rule: Rule) -> str:
    """Where it is wrong: "wrong only where the label is the last class"."""
    if not rule.conditions:
        return EVERYWHERE
    return "wrong only where " + ", or where ".join(spelled_conditions(one.conditions) for one in rule.parts)


def spelled_conditions(conditions: Sequence[Condition]) -> str:
    """Conditions that hold together, each with the value up to which all is right."""
    return " and ".join(_spelled(one) for one in conditions)


def _spelled(one: Condition) -> str:
    feature, said = one.feature, one.feature.said
    if feature.names:
        return f"{feature.noun} {'are' if feature.name == 'targets' else 'is'} {feature.names[int(one.value)]}"
    if feature.modulus:
        other = f"is no multiple of {feature.modulus}" if one.relation == "!=" else ""
        return f"{feature.noun} {other or _remainder(int(one.value), feature.modulus)}"
    value, relation = _number(one.value), one.relation
    if not feature.whole and relation != "==" and len(_number(one.beyond)) <= len(value):
        value, relation = _number(one.beyond), relation[0]  # right at this very value
    for key in (f"{relation} {value}", relation, f"{one.relation} {value}", one.relation):
        if key in said:
            return _strict(said[key], relation).format(value) + _right(one, key)
    return f"{feature.noun} {relation} {value}" + _right(one, relation)


def _remainder(value: int, modulus: int) -> str:
    if modulus == 2:
        return "is odd" if value else "is even"
    return f"modulo {modulus} is {value}" if value else f"is a multiple of {modulus}"


def _strict(text: str, relation: str) -> str:
    """The words for a threshold that is itself right: "more than {}" in the place of "{} or more"."""
    if len(relation) > 1:
        return text
    return text.replace("{} or more", "more than {}").replace("at most {}", "less than {}")


def _number(value: float) -> str:
    return f"{int(value)}" if value == np.rint(value) and abs(value) < 2**53 else f"{value:.4g}"


def _right(one: Condition, key: str) -> str:
    """Up to where it is right, for a threshold that was bisected."""
    if len(key) > 2 or one.relation == "==" or not np.isfinite(one.beyond) or not one.feature.whole:
        return ""
    return f" (right up to {int(one.beyond)})" if one.relation == ">=" else f" (right from {int(one.beyond)} on)"
