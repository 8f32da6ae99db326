"""Losses for torch.compile: one as people write it, the same compiled here, and one that is wrong."""

import torch


def loss(logits, labels):
    """A sound one, for `torch-compile:`."""
    log_p = torch.log_softmax(logits, 1)
    return -log_p.gather(1, labels[:, None]).mean()


compiled = torch.compile(loss, backend="aot_eager")  # a target `torch:` as it is


def epsilon(logits, labels):
    """Adds a small number under the logarithm."""
    p = torch.softmax(logits, 1).gather(1, labels[:, None])
    return -torch.log(p + 1e-6).mean()
