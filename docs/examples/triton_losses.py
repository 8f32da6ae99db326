"""A cross-entropy by a kernel of Triton, and the mistakes that such kernels make."""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(logits, labels, losses, gradient, n_rows, n_classes, BLOCK: tl.constexpr, MISTAKE: tl.constexpr):
    """One row in each program: the log of the sum online, block by block, then the gradient."""
    row = tl.program_id(0).to(tl.int64)
    logits += row * n_classes
    gradient += row * n_classes
    label = tl.load(labels + row)
    highest = tl.full((), float("-inf"), logits.dtype.element_ty)
    total = tl.zeros((), logits.dtype.element_ty)
    n_read = n_classes if MISTAKE != "remainder" else n_classes // BLOCK * BLOCK
    for first in range(0, n_read, BLOCK):
        columns = first + tl.arange(0, BLOCK)
        if MISTAKE == "no mask":
            z = tl.load(logits + columns)
        elif MISTAKE == "other":
            z = tl.load(logits + columns, mask=columns < n_classes, other=0.0)
        else:
            z = tl.load(logits + columns, mask=columns < n_classes, other=float("-inf"))
        higher = tl.maximum(highest, tl.max(z, 0))
        total = total * tl.exp(highest - higher) + tl.sum(tl.exp(z - higher), 0)
        highest = higher
    tl.store(losses + row, tl.log(total) + (highest - tl.load(logits + label)))
    for first in range(0, n_classes, BLOCK):
        columns = first + tl.arange(0, BLOCK)
        z = tl.load(logits + columns, mask=columns < n_classes, other=float("-inf"))
        p = tl.exp(z - highest) / total
        p = tl.where(columns == label, p - 1, p) / n_rows
        if MISTAKE == "store":
            tl.store(gradient + columns, p)
        else:
            tl.store(gradient + columns, p, mask=columns < n_classes)


def loss(logits, labels):
    """A sound one."""
    return run(logits, labels, "")


def no_mask(logits, labels):
    """Reads beyond the end of a row: the next row's logits, and behind the last one whatever is there."""
    return run(logits, labels, "no mask")


def other_is_0(logits, labels):
    """Has the entries beyond the end of a row count as logits of 0."""
    return run(logits, labels, "other")


def remainder_left_out(logits, labels):
    """Sums whole blocks alone."""
    return run(logits, labels, "remainder", block=16)


def store_without_mask(logits, labels):
    """Leaves the gradient in the logits, and writes over what lies behind them."""
    return run(logits, labels, "store")


def run(logits, labels, mistake, block=1024):
    """The mean loss and its gradient."""
    logits = logits.contiguous()
    n_rows, n_classes = logits.shape
    losses = logits.new_empty(n_rows)
    gradient = logits if mistake == "store" else torch.empty_like(logits)
    block = min(block, triton.next_power_of_2(n_classes)) if mistake != "remainder" else block
    if n_rows:
        kernel[(n_rows,)](logits, labels, losses, gradient, n_rows, n_classes, BLOCK=block, MISTAKE=mistake)
    return losses.mean(), gradient
