"""Labels: how they are read, and which are accepted."""

from __future__ import annotations

import numpy as np

from .._inputs import checked_labels
from ._right import Answer, Array, minus_one_hot, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of


def label_in_eight_bits(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Labels are stored in 8 bits: class 256 becomes class 0."""
    narrow = labels.astype(np.uint8).astype(np.int64)
    return reduced(row_losses(logits, narrow), minus_one_hot(softmax(logits), narrow), reduction)


def labels_read_as_64_bits(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The memory of the labels is read as 64-bit integers, whatever integers they are, as a C function does."""
    raw = np.frombuffer(labels.tobytes().ljust(8 * labels.size, b"\0"), dtype=np.int64)[: labels.size]
    read = raw % logits.shape[1]  # what lies outside would be read from beyond the row
    return reduced(row_losses(logits, read), minus_one_hot(softmax(logits), read), reduction)


def labels_wrap(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Label -1 is the last class, and label K the first: an invalid label is accepted."""
    labels = checked_labels(labels % logits.shape[1], logits)
    return reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)


def labels_truncated(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Labels that are not integers lose their fraction."""
    whole = checked_labels(np.asarray(labels).astype(np.int64), logits)
    return reduced(row_losses(logits, whole), minus_one_hot(softmax(logits), whole), reduction)


def labels_broadcast(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """One label stands for all rows, and labels too many are left out."""
    own = checked_labels(np.resize(labels, len(logits)), logits)
    return reduced(row_losses(logits, own), minus_one_hot(softmax(logits), own), reduction)


def labels_of_last_block(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Labels are read in blocks of four; the rest of a last block that is not full is read from the first block."""
    whole = len(labels) - len(labels) % 4
    read = np.concatenate([labels[:whole], labels[: len(labels) - whole]])
    return reduced(row_losses(logits, read), minus_one_hot(softmax(logits), read), reduction)


REFUSING = {"refuses_bad_labels": True}

SPECIMENS = (
    Specimen(
        label_in_eight_bits,
        wrong="y mod 256",
        mend="keep labels in 32 bits at least",
        logits=[[1] + [0] * 299],
        labels=[256],
        killed_by="gradient_is_right",
        seen="onnxruntime #3237",
    ),
    Specimen(
        labels_read_as_64_bits,
        wrong="y_i is read from bytes 8 i to 8 i + 7: two 32-bit labels are taken for one",
        mend="convert the labels before their memory is handed on",
        logits=[[1, 0]],
        labels=[1],
        killed_by="integer_type_of_the_labels_does_not_matter",
    ),
    Specimen(
        labels_wrap,
        wrong="y mod K for a y outside [0, K)",
        mend="raise an exception: a wrong label is an error of the data",
        logits=[[0, 0]],
        labels=[-1],
        killed_by="refuses_bad_labels",
        seen="tensorflow #3739, #1234; pytorch #5296; Paddle #10945; tt-metal #53209",
        claims=REFUSING,
    ),
    Specimen(
        labels_truncated,
        wrong="int(0.9) = 0",
        mend="raise an exception where the labels are no integers",
        logits=[[0, 0]],
        labels=[0.9],
        killed_by="refuses_bad_labels",
        seen="scikit-learn's private loss module",
        claims=REFUSING,
    ),
    Specimen(
        labels_broadcast,
        wrong="y of shape (1,) stands for N rows",
        mend="raise an exception where the labels are not of shape (N,)",
        logits=[[0, 0], [0, 0]],
        labels=[0],
        killed_by="refuses_bad_shapes",
        seen="tf.keras #18651; optax accepts it",
        claims=REFUSING,
    ),
    Specimen(
        labels_of_last_block,
        wrong="y_i is read from the first block for i >= 4 floor(N/4)",
        mend="read as many labels as there are, whatever the size of a block",
        logits=[[1, 0], [1, 0], [1, 0], [1, 0], [1, 0]],
        labels=[0, 0, 0, 0, 1],
        killed_by="gradient_is_right",
        seen="tt-metal #53209, #53219",
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
