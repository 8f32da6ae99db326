"""A user's loss, differentiated by a framework: how the backward pass is asked for.

Beside the plain call, with an upstream gradient of ones, the harness asks in these ways (the claim `backward` lists
those that the framework knows):

- scaled: with another upstream gradient, one number for all losses.
- twice: through the same graph again; the second gradient counts.
- accumulated: two forward and backward passes that add to one gradient, as `.grad` holds it; their sum counts.
- detached: the loss of logits that need no gradient counts, beside an ordinary gradient.
- double: the gradient of (gradient . vector) counts, where the claim `double_backward` is made.

The option `upstream`, one number for each row, goes with reduction "none".
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, standing_for

ONCE = "once"
KEYWORDS = {"upstream": None, "backward": ONCE, "vector": None}


@dataclass(frozen=True, eq=False)
class BackwardPass:
    """How one gradient is asked for.

    upstream: the upstream gradient, shape () or (N,), in the logits' dtype; None: ones. way: "once", or one of the
    ways above. vector: (N, K), for "double".
    """

    upstream: Array | None = None
    way: str = ONCE
    vector: Array | None = None

    @property
    def factor(self) -> float:
        """The upstream gradient of a loss that is one number. Raises ValueError where it is one for each row."""
        if self.upstream is not None and np.ndim(self.upstream):
            raise ValueError(f"the upstream gradient of one loss must be one number, got shape {self.upstream.shape}")
        return 1.0 if self.upstream is None else float(self.upstream)

    def known(self, ways: Mapping[str, Any]) -> str:
        """The way, where the framework knows it. Raises ValueError otherwise."""
        if self.way not in ways:
            raise ValueError(f"a backward pass here must be {' or '.join(ways)}, got {self.way}")
        return self.way


Framework = Callable[[Callable[..., Any], Any, Any, BackwardPass], tuple[Any, Any]]


def claim_of(ways: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What an adapter claims for a loss that its framework differentiates in these ways."""
    return {"backward": tuple(way for way in ways if way != ONCE)}


def with_gradient_by(
    framework: Framework, given: Found, defaults: Mapping[str, Any], convert: Callable[[Array], Any] | None = None
) -> Found:
    """A user's loss in the place where it was found, with a gradient by framework(loss, logits, targets, backward).

    defaults: what is claimed for it where it says nothing; `backward` among it. convert: what becomes of options that
    are arrays.
    """
    loss = given.function

    def call(
        logits: Any,
        targets: Any,
        *,  # what is asked of the backward pass, apart from the loss's own options
        upstream: Array | None = None,
        backward: str = ONCE,
        vector: Array | None = None,
        **options: Any,
    ) -> tuple[Any, Any]:
        keywords = {name: _converted(one, convert) for name, one in options.items()}
        asked = BackwardPass(upstream, backward, vector)
        return framework(lambda x, y: loss(x, y, **keywords), logits, targets, asked)

    return with_backward_keywords(standing_for(given, call, defaults))


def _converted(option: Any, convert: Callable[[Array], Any] | None) -> Any:
    return convert(option) if convert is not None and isinstance(option, np.ndarray) else option


def with_backward_keywords(found: Found) -> Found:
    """What was found, as one that takes the upstream gradient, and says so in its signature where that is known."""
    with contextlib.suppress(TypeError, ValueError):  # a callable whose signature is not known
        found.function.__signature__ = with_keywords(inspect.signature(found.function), KEYWORDS)
    return replace(found, takes=("upstream",))


def with_keywords(signature: inspect.Signature, keywords: Mapping[str, Any]) -> inspect.Signature:
    """The signature with these keywords and defaults added, those that it has itself left out."""
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        for name, default in keywords.items()
        if name not in signature.parameters
    ]
    given = signature.parameters.values()
    positional = [one for one in given if one.kind is not inspect.Parameter.VAR_KEYWORD]
    ending = [one for one in given if one.kind is inspect.Parameter.VAR_KEYWORD]
    return signature.replace(parameters=[*positional, *added, *ending])


def _twice(gradient: Callable[[], Any]) -> Any:
    gradient()
    return gradient()


# For frameworks whose backward pass is a function of nothing more.
PLAIN_WAYS: dict[str, Callable[[Callable[[], Any]], Any]] = {
    ONCE: lambda gradient: gradient(),
    "scaled": lambda gradient: gradient(),
    "twice": _twice,
}
