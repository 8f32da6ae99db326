"""How a layer is called, as it is claimed: what it takes and returns, in its own order, layouts and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

TAKEN = ("X", "W", "b", "targets", "l2", "n_classes", "n_features")
NEEDED = ("X", "W", "targets")
LOSS, OTHER = "loss", "-"
GRADIENTS = ("dX", "dW", "db")
RETURNED = (LOSS, *GRADIENTS, OTHER)

# How the arrays lie, each with what is usual first; D are features, N rows, K classes. "" is: not claimed.
LAYOUTS = {
    "weight_layout": ("DK", "KD"),
    "feature_layout": ("ND", "DN"),
    "bias_layout": ("K", "1K", "K1"),
}
L2_FORMS = {  # each in words
    "half": "l2/2 |W|^2",
    "whole": "l2 |W|^2",
    "half_mean": "l2/(2 N) |W|^2",
    "whole_mean": "l2/N |W|^2",
}


@dataclass(frozen=True)
class LayerClaims:
    """How a layer is called; what is left open, "" or none, is recognised by its names and by calls.

    takes: of TAKEN, in the function's own order; "l2=reg" is handed over by the keyword reg. X are the features, l2 the
        strength of the penalty, n_classes and n_features the numbers K and D. Keywords alone, without X, W and targets,
        leave the rest open.
    returns: of RETURNED, in the order in which they come back; "-" is anything else. "dW=grads.W" is what lies under
        that key, name or number of what comes back. No loss at all is allowed.
    weight_layout: W and dW are (D, K) or (K, D). feature_layout: X, dX and one-hot rows are (N, D) and (N, K), or have
        the examples as columns. bias_layout: b and db are (K,), (1, K) or (K, 1).
    l2_form: the penalty is l2/2 |W|^2, "half", or l2 |W|^2, "whole"; or that over N, "half_mean" or "whole_mean".
    l2_takes_bias: the bias is penalised, too.
    """

    takes: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    weight_layout: str = ""
    feature_layout: str = ""
    bias_layout: str = ""
    l2_form: str = ""
    l2_takes_bias: bool | None = None

    @cached_property
    def taken(self) -> Mapping[str, str]:
        """What it takes, each with the keyword by which it is handed over; "" for a place in the order."""
        return dict(_split(one) for one in self.takes)

    @cached_property
    def places(self) -> Mapping[str, str]:
        """What it returns, without what is something else, each with its place: a number, or a path of keys."""
        named = [_split(one) for one in self.returns]
        if len(named) == 1:
            return {name: place for name, place in named if name != OTHER}
        return {name: place or str(number) for number, (name, place) in enumerate(named) if name != OTHER}

    @property
    def halves_l2(self) -> bool:
        """Whether the penalty is l2/2 |W|^2, over N or not."""
        return not self.l2_form.startswith("whole")

    def l2_handed_over(self, strength: float, n_rows: int) -> float:
        """The number for a penalty of this strength: N times that, where it divides by N."""
        return strength * n_rows if self.l2_form.endswith("_mean") else strength

    @cached_property
    def is_taken_claimed(self) -> bool:
        """Whether all that it takes is claimed."""
        return all(name in self.taken for name in NEEDED)


LAYER_NAMES = tuple(field.name for field in fields(LayerClaims))


def layer_claims_from(given: Mapping[str, Any]) -> LayerClaims:
    """The claims of a layer written as a mapping. Raises ValueError that names the claim, the rule and the value."""
    chosen: dict[str, Any] = {name: _text(name, value) for name, value in given.items() if name in LAYOUTS}
    for name, known in (("takes", TAKEN), ("returns", RETURNED)):
        chosen[name] = _names(name, given.get(name, ()), known)
    form = given.get("l2_form", "")
    if form not in ("", *L2_FORMS):
        raise ValueError(f"claim l2_form must be one of {', '.join(L2_FORMS)}, got {form!r}")
    with_bias = given.get("l2_takes_bias")
    if with_bias not in (None, True, False):
        raise ValueError(f"claim l2_takes_bias must be True or False, got {with_bias!r}")
    claims = LayerClaims(**chosen, l2_form=form, l2_takes_bias=with_bias)
    _check_takes(claims)
    _check_returns(claims)
    return claims


def with_penalty(given: Mapping[str, Any], option: str) -> Mapping[str, Any]:
    """The claims of a layer, as a mapping, with the option "l2" or "l2=keyword" in what it takes."""
    takes = given.get("takes", ())
    listed = takes.split(",") if isinstance(takes, str) else list(takes) if isinstance(takes, Iterable) else []
    if any(str(one).partition("=")[0] == "l2" for one in listed):
        return given
    return {**given, "takes": [*filter(None, listed), option if "=" in option else "l2=l2"]}


def _split(one: str) -> tuple[str, str]:
    name, _, keyword = one.partition("=")
    return name, keyword


def _text(name: str, value: Any) -> str:
    if value not in ("", *LAYOUTS[name]):
        raise ValueError(f"claim {name} must be one of {', '.join(LAYOUTS[name])}, got {value!r}")
    return str(value)


def _names(claim: str, value: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(value, Iterable):
        raise ValueError(f"claim {claim} must be a list of names, got {value!r}")
    names = tuple(value.split(",")) if isinstance(value, str) else tuple(map(str, value))
    for one in filter(None, names):
        if _split(one)[0] not in known:
            raise ValueError(f"claim {claim} must be of {', '.join(known)}, got {one!r}")
    found = [_split(one)[0] for one in names if one and _split(one)[0] != OTHER]
    twice = [one for one in found if found.count(one) > 1]
    if twice:
        raise ValueError(f"claim {claim} must name each once, got {twice[0]} twice")
    return tuple(filter(None, names))


def _check_takes(claims: LayerClaims) -> None:
    keywords = [bool(keyword) for keyword in claims.taken.values()]
    missing = [name for name in NEEDED if name not in claims.taken]
    if missing and not all(keywords):
        raise ValueError(f"claim takes must name {', '.join(NEEDED)}, got no {missing[0]}")
    if keywords != sorted(keywords):
        raise ValueError(f"claim takes must end with what goes by keyword, got {', '.join(claims.takes)}")
    if claims.l2_takes_bias and claims.is_taken_claimed and "b" not in claims.taken:
        raise ValueError("claim l2_takes_bias goes with b in takes alone")


def _check_returns(claims: LayerClaims) -> None:
    if not claims.returns:
        return
    if not set(GRADIENTS) & set(claims.places):
        raise ValueError(f"claim returns must name a gradient, {', '.join(GRADIENTS)}, got {', '.join(claims.returns)}")
    if "db" in claims.places and claims.is_taken_claimed and "b" not in claims.taken:
        raise ValueError("claim returns: db goes with b in takes alone")
