"""What is known about a layer with one known defect; plain data, beside the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ._pipeline import Array, Given, Stages, given_from, run, with_slope

NOT_SEEN = "in no public thread that we know"
OUTPUTS = ("loss", "dX", "dW", "db")


@dataclass(frozen=True)
class Use:
    """How a layer is asked beyond a plain call.

    upstream: the upstream gradient of its loss, 1 where none arrives. earlier: the outputs for a batch for which it was
    used before, or None.
    """

    upstream: Any
    earlier: tuple[Any, ...] | None


@dataclass(frozen=True)
class LayerSpecimen:
    """A layer with one known defect and no other: the stages of the sound one that it replaces.

    name: identifies the defect. says: what it does. wrong: what is wrong, in one line of mathematics. mend: what to
    write in its place. shows: the outputs that are wrong. killed_by: the check that must reject it. seen: where it was
    seen. needs: what must be claimed for it to show: "l2", "b", "ignore_index", "mean", "sum", "masks", or a way of
    asking for the backward pass, "scaled" or "reused". coarse: the dtype in which something is rounded on the way.
    dtypes: in which it shows, all if none. side_effect: what it does beside its answer, to the inputs that it is given.
    in_use: what it makes of its outputs in the way that it is asked. claims: as for any implementation. variants: the
    same defect written in other ways, each as the stages that it replaces: what is wrong is said of all of them.
    at_sizes, cut: the same in blocks of any size, the stages by the size, of "rows" or of "classes".
    """

    name: str
    says: str
    wrong: str
    mend: str
    stages: Mapping[str, Callable[..., Any]]
    shows: tuple[str, ...]
    killed_by: str
    seen: str = NOT_SEEN
    needs: tuple[str, ...] = ()
    coarse: str = ""
    side_effect: Callable[[Array, Array, Array | None], None] | None = None
    in_use: Callable[[tuple[Any, ...], Use], tuple[Any, ...]] | None = None
    dtypes: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    variants: tuple[Mapping[str, Callable[..., Any]], ...] = ()
    at_sizes: tuple[Callable[[int], Mapping[str, Callable[..., Any]]], ...] = ()
    cut: str = ""

    def written_otherwise(self) -> tuple[LayerSpecimen, ...]:
        """The variants, each as a specimen of the same name."""
        return tuple(replace(self, stages=stages, variants=()) for stages in self.variants)

    def written_in_blocks(self, size: int) -> tuple[LayerSpecimen, ...]:
        """The same in blocks of so many rows or classes, each way of writing it as a specimen of the same name."""
        return tuple(replace(self, stages=make(size), variants=(), at_sizes=()) for make in self.at_sizes)

    def used(self, outputs: tuple[Any, ...], upstream: Any, earlier: tuple[Any, ...] | None) -> tuple[Any, ...]:
        """What it makes of its outputs for an upstream gradient, after a call with other outputs."""
        return outputs if self.in_use is None else self.in_use(outputs, Use(upstream, earlier))

    def function(
        self,
        X: Array,
        W: Array,
        b: Array | None,
        labels: Array,
        l2: float = 0.0,
        reduction: str = "mean",
        ignore_index: int | None = None,
    ) -> tuple[Any, ...]:
        """Loss, dX, dW and db with the defect; the penalty is l2/2 |W|^2."""
        return self.penalised(X, W, b, labels, l2, False, reduction, ignore_index)

    def penalised(
        self,
        X: Array,
        W: Array,
        b: Array | None,
        labels: Array,
        slope: float,
        takes_bias: bool,
        reduction: str,
        ignore_index: int | None,
    ) -> tuple[Any, ...]:
        """The same with the penalty slope/2 |W|^2, and |b|^2 too where that is said."""
        found = self.run(self.stages, self.given(X, W, b, labels, slope, takes_bias, reduction, ignore_index))
        if self.side_effect is not None:
            self.side_effect(X, W, b)
        return found

    def given(
        self,
        X: Array,
        W: Array,
        b: Array | None,
        labels: Array,
        slope: float,
        takes_bias: bool,
        reduction: str,
        ignore_index: int | None,
    ) -> Given:
        """What a layer is given, for `run`."""
        return with_slope(given_from(X, W, b, labels, ignore_index, reduction), slope, takes_bias)

    def run(self, stages: Mapping[str, Callable[..., Any]], given: Given) -> tuple[Any, ...]:
        """The outputs by these stages, all others sound."""
        return run(Stages(**stages), given)
