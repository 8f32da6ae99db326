"""Times gradlab's complete finite-difference check against torch.autograd.gradcheck on the same per-row loss.

Both sides check every entry of the gradient of the rows' own cross-entropy losses, float64, side by side in one
process, in turn; the medians and their ratio are printed. Needs torch: pip install "gradlab-verify[torch]".

    python benchmarks/finite_differences.py [--rows 32] [--classes 100] [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from gradlab.checks.differences import along_classes
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.problems.problem import Array, Problem, Shape
from gradlab.result import worst_result

LIMIT = 1 / 60  # of gradcheck's time, at (32, 100)
CALLS = 25  # of gradlab's side in a row, which take about half as long as one of gradcheck's


def main() -> None:
    """Prints the medians of both sides and their ratio, and whether the ratio is within the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    ours, theirs = sides((chosen.rows, chosen.classes))
    ours(), theirs()
    pairs = [(seconds(ours, CALLS), seconds(theirs, 1)) for _ in range(chosen.repeats)]
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"complete gradient check of the rows' losses, float64, ({chosen.rows}, {chosen.classes}), one thread")
    print(f"  torch.autograd.gradcheck, slow mode  {1e3 * statistics.median(b for _, b in pairs):10.2f} ms")
    print(f"  gradlab, central differences         {1e3 * statistics.median(a for a, _ in pairs):10.2f} ms")
    print(f"  ratio {ratio:.5f} = 1/{1 / ratio:.0f}; at most 1/{1 / LIMIT:.0f}: {'yes' if ratio <= LIMIT else 'no'}")


def sides(shape: Shape) -> tuple[Callable[[], None], Callable[[], None]]:
    """gradlab's check and torch's, on the same logits and labels; each raises if the gradient is refused."""
    generator = np.random.default_rng(0)
    logits, labels = generator.normal(size=shape), generator.integers(0, shape[1], shape[0])
    implementation = Implementation("row_losses", row_losses, Claims(reduction=("none",)))
    tensor = torch.tensor(logits, requires_grad=True)
    target = torch.tensor(labels)

    def ours() -> None:
        problem = Problem(logits, labels)
        result = worst_result("derivative", problem, along_classes(implementation, problem))
        if not result.passed:
            raise SystemExit(f"gradlab refused a correct gradient, ratio {result.ratio}")

    def theirs() -> None:
        def loss(x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.cross_entropy(x, target, reduction="none")

        torch.autograd.gradcheck(loss, (tensor,), fast_mode=False)

    return ours, theirs


def row_losses(logits: Array, labels: Array) -> tuple[Array, Array]:
    """The rows' own losses (N,), and their gradient (N, K): what torch's loss and its backward pass give."""
    rows = np.arange(len(logits))
    gradient = logits - logits.max(axis=1, keepdims=True)
    shifted = gradient[rows, labels]
    np.exp(gradient, out=gradient)
    sums = gradient @ np.ones(gradient.shape[1])
    losses = np.log(sums) - shifted
    gradient *= 1 / sums[:, None]
    gradient[rows, labels] -= 1
    return losses, gradient


def seconds(run: Callable[[], None], calls: int) -> float:
    """Wall time of one call, the mean over some in a row."""
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


if __name__ == "__main__":
    main()
