"""What is refused before a call into compiled code that would read or write outside its arrays."""

from __future__ import annotations

from gradlab.problems.problem import Array


def checked_shape(logits: Array, labels: Array) -> tuple[int, int]:
    """(n_rows, n_classes), where logits are (N, K) and labels (N,). Raises ValueError where they are not."""
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(f"logits and labels must have shapes (N, K) and (N,), got {logits.shape} and {labels.shape}")
    n_rows, n_classes = logits.shape
    return n_rows, n_classes


def check_labels(labels: Array, n_classes: int) -> None:
    """Nothing, where labels are integers in [0, K). Raises TypeError or ValueError where they are not."""
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got {labels.dtype}")
    if labels.size and not (0 <= labels.min() and labels.max() < n_classes):
        raise ValueError(f"labels must lie in [0, {n_classes}), got {labels.min()} to {labels.max()}")
