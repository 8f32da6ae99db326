"""What the claim `flushes_subnormals` allows in checks that hold answers to each other, and not to the oracle."""

from __future__ import annotations

import numpy as np

from gradlab.bounds import flushed_bound
from gradlab.evaluation.call import Implementation
from gradlab.problems.problem import Problem


def flushed(implementation: Implementation, *problems: Problem) -> float:
    """By how much further apart a loss, or an entry, of the answers to these problems may be: the sum of what each may
    lose. 0 without the claim.
    """
    if not implementation.claims.flushes_subnormals:
        return 0.0
    return sum(float(np.max(flushed_bound(problem), initial=0.0)) for problem in problems)
