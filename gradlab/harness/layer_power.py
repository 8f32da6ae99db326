"""Known defects of layers as implementations with the claims of a run: what it asks of them, and what not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gradlab.checks.layer.table import LAYER_CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.layer_claims import LayerClaims
from gradlab.harness.verdict import Verdict
from gradlab.layer.call import admits_layer, layer_claims
from gradlab.layer.problem import OUTPUTS, LayerProblem
from gradlab.targets.shipped import Specimen

USES = ("scaled", "reused")  # the ways in which a specimen can be asked for its backward pass
_GROUPS = {check.name: check for check in LAYER_CHECKS}


def why_not(specimen: Specimen, claims: Claims, dtype: str, level: Verdict) -> str | None:
    """The claim without which a run in this dtype and at this level says nothing about a defect, or None if it does."""
    layer = layer_claims(claims)
    if "index" not in claims.targets:
        return "index targets"
    if not set(specimen.shows) & set(layer.places):
        return f"{' or '.join(specimen.shows)} returned"
    for need in specimen.needs:
        if not _is_met(need, claims):
            kind = {**dict.fromkeys(("mean", "sum"), "reduction "), **dict.fromkeys(USES, "backward ")}
            return f"{kind.get(need, '')}{need}"
    if specimen.dtypes and dtype not in specimen.dtypes:
        return " or ".join(specimen.dtypes)
    check = _GROUPS[specimen.killed_by]
    if check.claim and not getattr(claims, check.claim):
        return check.claim
    return None


def _is_met(need: str, claims: Claims) -> bool:
    """Whether what a specimen needs is claimed."""
    taken = layer_claims(claims).taken
    return {
        "l2": "l2" in taken,
        "b": "b" in taken,
        "mean": claims.reduction[0] == "mean",
        "sum": claims.reduction[0] == "sum",
        "ignore_index": "ignore_index" in claims.options,
        "masks": claims.masks and "b" in taken,
        **{way: way in claims.backward for way in USES},
    }[need]


@dataclass(frozen=True)
class AsClaimed:
    """A specimen as a function that takes and returns what a layer claims, each by its own name."""

    function: Callable[..., Any]
    returns: tuple[str, ...]

    def __call__(self, X: Any, W: Any, b: Any = None, targets: Any = None, **keywords: Any) -> Any:
        """The outputs that are claimed, by name."""
        found = dict(zip(OUTPUTS, self.function(X, W, b, targets, **keywords), strict=True))
        return {name: found[name] for name in self.returns}


def as_claimed(specimen: Specimen, claims: Claims) -> Implementation:
    """The specimen as an implementation with these claims, as far as it can keep them."""
    layer = layer_claims(claims)
    returns = tuple(name for name in OUTPUTS if name in layer.places)
    taken = [name for name in ("X", "W", "b", "targets", "l2") if name in layer.taken]
    own = replace(
        claims,
        reduction=claims.reduction[:1],
        targets=("index",),
        one_hot=False,
        options=tuple(name for name in claims.options if name == "ignore_index"),
        mean_over=claims.mean_over[:1],
        backward=tuple(way for way in USES if way in claims.backward and way in specimen.needs),
        layer=LayerClaims(
            takes=tuple(f"{name}={name}" for name in taken),
            returns=tuple(f"{name}={name}" for name in returns),
            weight_layout="DK",
            feature_layout="ND",
            bias_layout="K",
            l2_form=layer.l2_form,
            l2_takes_bias=layer.l2_takes_bias,
        ),
    )
    function = AsClaimed(Penalised(specimen, claims), returns)
    return Implementation(specimen.name, function, own)


@dataclass(frozen=True)
class Penalised:
    """The function of a specimen, whose penalty is l2/2 |W|^2, with the penalty that is claimed."""

    specimen: Specimen
    claims: Claims

    def __call__(
        self, X: Any, W: Any, b: Any, targets: Any, l2: float = 0.0, ignore_index: int | None = None, **use: Any
    ) -> Any:
        """Loss, dX, dW and db."""

        def outputs(features: Any, labels: Any) -> tuple[Any, ...]:
            found: tuple[Any, ...] = self.specimen.penalised(features, W, b, labels, *given)
            return found

        layer = layer_claims(self.claims)
        strength = (l2 if layer.halves_l2 else 2 * l2) / layer.l2_handed_over(1.0, max(len(X), 1))
        given = (strength, bool(layer.l2_takes_bias), self.claims.reduction[0], ignore_index)
        earlier = use.get("earlier_features")
        before = None if earlier is None else outputs(earlier, use["earlier_targets"])
        upstream = X.dtype.type(1 if use.get("upstream") is None else use["upstream"])
        found: tuple[Any, ...] = self.specimen.used(outputs(X, targets), upstream, before)
        return found


def can_be_asked(implementation: Implementation, problem: LayerProblem) -> bool:
    """Whether the claims that a specimen keeps let a problem through."""
    return admits_layer(implementation.claims, problem)
