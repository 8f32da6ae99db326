"""Suites for asv of layers: what one takes in time and memory, and how accurate each of its outputs is.

from gradlab.integrations.asv_layers import layer_suites
Speed, Memory, Accuracy = layer_suites("layer:mypackage.layers:softmax_loss")
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from gradlab.api import Target
from gradlab.campaigns.layer_atlas.measurement import largest_errors_of_layer
from gradlab.evaluation.call import Implementation
from gradlab.harness.profiles import profile_named
from gradlab.harness.selection import problems_in_run
from gradlab.integrations.asv import DTYPES, MAX_BITS, Suite, in_unit, load_for, name_of, run_with_seed_0
from gradlab.layer.call import layer_call_for
from gradlab.layer.problem import OUTPUTS
from gradlab.measure.layer_timing import LAYER_SHAPES, bytes_beyond_the_outputs, timed_layer_problem
from gradlab.measure.timing import keep_freed_memory
from gradlab.problems.dtypes import format_of

BITS = "log2 (1 + error / (u largest entry))"


def layer_suites(
    *targets: Target,
    shapes: Iterable[tuple[int, ...]] = LAYER_SHAPES,
    dtypes: Sequence[str] = DTYPES,
    profile: str = "quick",
) -> tuple[Suite, Suite, Suite]:
    """Three classes for asv to find in the module that names them: Speed, Memory and Accuracy.

    targets: as `gradlab check` takes them, with `layer:` before them. One that does not load in a commit, or does not
    claim a dtype, is left out there. shapes: (rows, features, classes) of the timed problems.
    """
    named = {name_of(target): target for target in targets}
    sizes = {"x".join(map(str, shape)): shape for shape in shapes}

    class _Sized:
        params = (list(named), list(sizes), list(dtypes))
        param_names = ("layer", "shape", "dtype")

        def setup(self, name: str, shape: str, dtype: str) -> None:
            self.implementation = load_for(named[name], dtype)
            self.problem = timed_layer_problem(self.implementation.claims, sizes[shape], dtype)
            call = layer_call_for(self.implementation, self.problem)
            self.call = partial(self.implementation.function, *call.arguments, **call.keywords)

    class Speed(_Sized):
        def setup(self, name: str, shape: str, dtype: str) -> None:
            super().setup(name, shape, dtype)
            keep_freed_memory()
            self.call()  # `asv run --quick` times a single call, and the first one takes longer

        def time_outputs(self, name: str, shape: str, dtype: str) -> None:
            self.call()

    class Memory(_Sized):
        def peakmem_outputs(self, name: str, shape: str, dtype: str) -> None:
            self.call()

        @in_unit("bytes")
        def track_beyond_the_outputs(self, name: str, shape: str, dtype: str) -> int:
            return bytes_beyond_the_outputs(self.implementation, self.problem)

    class Accuracy:
        params = (list(named), list(dtypes), list(OUTPUTS))
        param_names = ("layer", "dtype", "output")
        timeout = 600

        def setup(self, name: str, dtype: str, output: str) -> None:
            self.implementation = load_for(named[name], dtype)

        @in_unit(BITS)
        def track_error(self, name: str, dtype: str, output: str) -> float:
            return layer_bits_lost(self.implementation, dtype, output, profile)

        @in_unit("checks")
        def track_checks_failed(self, name: str, dtype: str, output: str) -> int:
            return len(run_with_seed_0(self.implementation, dtype, profile).failures)

    return Speed, Memory, Accuracy


def layer_bits_lost(implementation: Implementation, dtype: str, output: str, profile: str) -> float:
    """log2(1 + the largest error of an output, in units u of its largest entry) in the run with seed 0.

    NotImplementedError, by which asv leaves it out, where the layer does not return that output.
    """
    layer = implementation.claims.layer
    if layer is None or output not in layer.places:
        raise NotImplementedError(f"{implementation.name} does not return {output}")
    problems = problems_in_run(implementation.claims, dtype, profile_named(profile), 0)
    judged = [one for one in problems if one.is_judged]
    error = largest_errors_of_layer(implementation, judged).get(output, 0.0)
    return min(float(np.log2(1 + error / format_of(dtype).unit_roundoff)), MAX_BITS)
