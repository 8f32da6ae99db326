"""What an implementation claims about itself: plain data, given by a decorator, by keyword or beside the function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

from gradlab.evaluation.layer_claims import LAYER_NAMES, LayerClaims, layer_claims_from, with_penalty
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.objective import derivative_refusal
from gradlab.problems.options import MEANS, PER_ROW_OPTIONS, REAL_OPTIONS, REDUCTIONS, TARGETS

OPTIONS = ("label_smoothing", "class_weights", "ignore_index", *REAL_OPTIONS, *PER_ROW_OPTIONS)
ACCUMULATES_IN = ("recognised", "float32", "logits")
PRODUCTS_IN = ("recognised", *DTYPE_NAMES, "tf32")  # of a layer
LEVELS = ("stable", "accurate")
BACKWARD = ("scaled", "twice", "accumulated", "detached", "double", "reused", "ignored")
ONE_HOT = "one_hot"  # as a kind of targets: labels that are handed over as one-hot rows
ATTRIBUTE = "__gradlab_claims__"

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Claims:
    """What an implementation promises and is therefore held to; the defaults are those of a plain function.

    reduction: what the loss is reduced by. The keyword `reduction` is passed in each call where more than one is
        claimed, or where the only one is not its default.
    targets: "index" (labels, shape (N,)) and/or "probability" (shape (N, K)).
    dtypes: the dtypes of the logits that it takes.
    options: the keywords it takes: label_smoothing, class_weights (an array (K,) in the logits' dtype), ignore_index,
        softcap, temperature, z_loss, poly_epsilon, sample_weights and upstream (arrays (N,) in the logits' dtype); each
        is passed where it is on. What they mean: `problems/objective.py`, and docs/objective.md.
    required: options that have no default, or another keyword than their own name, as "class_weights=weights": they
        are handed over in every call, and where a problem has them off, with the value that changes nothing (ones for
        weights, -100 for ignore_index). Recognised by the names; `options=["class_weights=weights"]` claims both.
    mean_over: what a mean divides by where rows do not all count alike, "sum_of_weights", "number_of_rows" or
        "all_rows"; it is held to that. The keyword `mean_over` is passed as `reduction` is.
    backward: the ways in which the backward pass can be asked for, of scaled, twice, accumulated, detached and double,
        by the keywords `upstream`, `backward` and `vector`: see `adapters/differentiation.py`. Adapters that
        differentiate a loss claim those that they know. Of a class that is a layer it is recognised: reused, its
        instances serve for several batches; ignored, its backward pass may be given an upstream gradient and takes no
        notice of it. double_backward: the gradient can be differentiated again.
    derivative: what is returned with the loss: "gradient" (N, K), "target_gradient" (N, K), "hessian" (N, K, K),
        "hessian_diagonal" (N, K) or "hessian_vector_product" (N, K), for which the keyword `vector` is passed, an array
        (N, K) in the logits' dtype. All but the gradient are held to level "stable", without softcap and what
        follows it in that list.
    level: the verdict that it is meant to reach, "stable" or "accurate".
    accumulates_in: what logits in half precision are worked out in, "float32", or their own dtype, "logits"; unless it
        is claimed it is recognised by the answers (`checks/precision.py`). Of a layer, in what its products are added
        up: a dtype, or "tf32" for operands of 11 bits with sums in float32 (`layer/bounds/arithmetic.py`).
    normalised_targets: probability targets sum to 1 in every row; others are not asked.
    masks: a logit of -inf means probability 0; where this is not claimed, none is given.
    deterministic: the same call gives the same bits.
    Not held against a function that does not claim them, only advised: refuses_bad_labels (and bad shapes; by an
    exception), empty_batch, keeps_dtype (loss and gradient in the logits' dtype), complex_step (complex logits),
    nan_rows (a row with NaN, +inf or only -inf is NaN in every entry: without it, in its loss and in some entry).
    big_endian: logits in the other byte order are accepted.
    flushes_subnormals: results below the smallest normal number may be 0.
    one_hot: labels are handed over as one-hot rows (N, K) in the logits' dtype; claimed as targets="one_hot".
    gradient_in_logits: the gradient may be written into the logits, which are then the gradient that is returned.
    layer: for the layer that takes X, W and b in the place of logits, how it is called; None for a loss of logits. Its
        fields are claimed by themselves: takes, returns, weight_layout and so on. Option "l2" is the same as l2 in
        takes, and "l2=reg" gives the keyword.
    """

    reduction: tuple[str, ...] = ("mean",)
    targets: tuple[str, ...] = ("index",)
    dtypes: tuple[str, ...] = ("float32", "float64")
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    mean_over: tuple[str, ...] = ("sum_of_weights",)
    backward: tuple[str, ...] = ()
    double_backward: bool = False
    accumulates_in: str = "recognised"
    level: str = "stable"
    normalised_targets: bool = False
    masks: bool = True
    deterministic: bool = True
    refuses_bad_labels: bool = False
    empty_batch: bool = False
    keeps_dtype: bool = False
    complex_step: bool = False
    nan_rows: bool = False
    big_endian: bool = False
    flushes_subnormals: bool = False
    gradient_in_logits: bool = False
    one_hot: bool = False
    derivative: str = "gradient"
    layer: LayerClaims | None = None

    @cached_property
    def keyword_of(self) -> Mapping[str, str]:
        """Of each option in `required` the keyword by which it is handed over."""
        split = (one.partition("=") for one in self.required)
        return {name: keyword or name for name, _, keyword in split}


_ALLOWED = {
    "reduction": REDUCTIONS,
    "targets": TARGETS,
    "dtypes": DTYPE_NAMES,
    "options": OPTIONS,
    "mean_over": tuple(MEANS),
    "backward": BACKWARD,
}


_OF_GRADIENT = {"level": "accurate", "complex_step": True, "gradient_in_logits": True}


def claims_from(given: Mapping[str, Any]) -> Claims:
    """The claims written as a mapping; a single string stands for a list of one.

    Raises ValueError that names the claim, the rule and the value where a claim is unknown or out of range.
    """
    given = _with_keywords(_with_layer(given))
    known = {f.name for f in fields(Claims)} | set(LAYER_NAMES)
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"a claim must be one of {', '.join(sorted(known))}, got {unknown[0]!r}")
    claims = Claims(**{name: _validate(name, value) for name, value in _with_one_hot(given).items()})
    if claims.double_backward and "double" not in claims.backward:
        raise ValueError(
            f"claim double_backward goes with backward double alone, got {', '.join(claims.backward) or 'none'}"
        )
    known_products = ACCUMULATES_IN if claims.layer is None else PRODUCTS_IN
    if claims.accumulates_in not in known_products:
        raise ValueError(
            f"claim accumulates_in must be one of {', '.join(known_products)}, got {claims.accumulates_in!r}"
        )
    refusal = derivative_refusal(claims.derivative, claims.targets, claims.options)
    if refusal is not None:
        raise ValueError(f"claim {refusal}")
    for name in claims.options:
        needed = PER_ROW_OPTIONS[name].reductions if name in PER_ROW_OPTIONS else REDUCTIONS
        if not set(needed) & set(claims.reduction):
            raise ValueError(f"claim options: {name} goes with reduction {' or '.join(needed)} alone; claim that too")
        if name == "ignore_index" and "index" not in claims.targets:
            raise ValueError("claim options: ignore_index goes with targets index alone; claim that too")
    for name, value in _OF_GRADIENT.items():
        if claims.derivative != "gradient" and getattr(claims, name) == value:
            raise ValueError(f"claim {name} {value} goes with derivative gradient alone, got {claims.derivative}")
    return claims


def implementation(**claims: Any) -> Callable[[Function], Function]:
    """A decorator that writes claims on a function, and changes nothing else.

    >>> @implementation(reduction="sum", dtypes=["float32"])
    ... def my_loss(logits, labels): ...

    Raises ValueError for an unknown claim or value.
    """
    claims_from(claims)

    def mark(function: Function) -> Function:
        setattr(function, ATTRIBUTE, dict(claims))
        return function

    return mark


def _with_one_hot(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims with targets "one_hot" taken for what it means: labels, which are handed over as one-hot rows."""
    named = given.get("targets", ())
    if not isinstance(named, Iterable):
        return given
    names = (named,) if isinstance(named, str) else tuple(named)
    if ONE_HOT not in names:
        return given
    if names != (ONE_HOT,):
        raise ValueError(f"claim targets must be {ONE_HOT} alone, or of {', '.join(TARGETS)}, got {', '.join(names)}")
    if "ignore_index" in given.get("options", ()):
        raise ValueError(f"claim targets {ONE_HOT} goes without ignore_index: one-hot rows have no such label")
    return {**given, "targets": "index", "one_hot": True}


def _with_layer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims with those of a layer put into one, `layer`, where there are any; the option l2 is among them."""
    plain = {name: value for name, value in given.items() if name not in (*LAYER_NAMES, "layer")}
    own = {name: given[name] for name in LAYER_NAMES if name in given}
    whole = given.get("layer")
    named = asdict(whole) if isinstance(whole, LayerClaims) else whole
    if named is not None and not isinstance(named, Mapping):
        raise ValueError(f"claim layer must be a mapping, got {named!r}")
    options = plain.get("options", ())
    listed = (options,) if isinstance(options, str) else options if isinstance(options, Iterable) else ()
    penalties = [str(one) for one in listed if str(one).partition("=")[0] == "l2"]
    if not (own or penalties or named is not None):
        return plain
    if penalties:
        plain["options"] = tuple(one for one in listed if str(one) not in penalties)
    layer = {**(named or {}), **own}
    return {**plain, "layer": with_penalty(layer, penalties[0]) if penalties else layer}


def _with_keywords(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims with an option "class_weights=weights" as class_weights, and its keyword among what is required."""
    options = given.get("options", ())
    listed = (options,) if isinstance(options, str) else options if isinstance(options, Iterable) else ()
    named = [str(one) for one in listed if "=" in str(one)]
    if not named:
        return given
    required = given.get("required", ())
    others = (required,) if isinstance(required, str) else tuple(required)
    plain = tuple(str(one).partition("=")[0] for one in listed)
    return {**given, "options": plain, "required": tuple(dict.fromkeys((*named, *others)))}


def _required(value: Any) -> tuple[str, ...]:
    values = (value,) if isinstance(value, str) else value
    if not isinstance(values, Iterable):
        raise ValueError(f"claim required must be a list of options, got {value!r}")
    found = {str(one).partition("=")[0]: str(one) for one in values}
    for name, one in found.items():
        if name not in OPTIONS:
            raise ValueError(f"claim required must be of {', '.join(OPTIONS)}, got {one!r}")
    return tuple(found.values())


def _validate(name: str, value: Any) -> Any:
    if name == "required":
        return _required(value)
    if name == "layer":
        return value if value is None else layer_claims_from(value)
    if name in _ALLOWED:
        return _subset(name, value)
    if name == "level":
        if value not in LEVELS:
            raise ValueError(f"claim level must be one of {', '.join(LEVELS)}, got {value!r}")
        return value
    if name == "accumulates_in":
        return value if isinstance(value, str) else repr(value)  # judged together with layer
    if name == "derivative":
        return value if isinstance(value, str) else repr(value)  # judged together with targets and options
    if not isinstance(value, bool):
        raise ValueError(f"claim {name} must be True or False, got {value!r}")
    return value


def _subset(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, Iterable):
        raise ValueError(f"claim {name} must be a name or a list of names, got {value!r}")
    values = (value,) if isinstance(value, str) else tuple(value)
    for one in values:
        if one not in _ALLOWED[name]:
            raise ValueError(f"claim {name} must be of {', '.join(_ALLOWED[name])}, got {one!r}")
    if not values and name not in ("options", "backward"):
        raise ValueError(f"claim {name} must name at least one of {', '.join(_ALLOWED[name])}, got none")
    return tuple(dict.fromkeys(values))
