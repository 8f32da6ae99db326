"""Softcap, temperature, z-loss and the poly term: in the loss but not in the gradient, or not as they are defined."""

from __future__ import annotations

import numpy as np

from ..every_option import every_option
from ._right import Answer, Array, below_maximum
from ._specimen import Specimen, claims_of


def softcap_slope_forgotten(logits: Array, labels: Array, reduction: str = "mean", softcap: float = np.inf) -> Answer:
    """The gradient is the one along c tanh(x/c), not multiplied by the derivative of that."""
    capped = logits if softcap == np.inf else softcap * np.tanh(logits / softcap)
    return every_option(capped, labels, reduction=reduction)


def softcap_clips(logits: Array, labels: Array, reduction: str = "mean", softcap: float = np.inf) -> Answer:
    """The logits are cut off at the softcap."""
    if softcap == np.inf:
        return every_option(logits, labels, reduction=reduction)
    loss, gradient = every_option(np.clip(logits, -softcap, softcap), labels, reduction=reduction)
    return loss, gradient * (np.abs(logits) < softcap)


def softcap_not_scaled_back(logits: Array, labels: Array, reduction: str = "mean", softcap: float = np.inf) -> Answer:
    """The softmax gets tanh(x/c), which is between -1 and 1."""
    if softcap == np.inf:
        return every_option(logits, labels, reduction=reduction)
    bent = np.tanh(logits / softcap)
    loss, gradient = every_option(bent, labels, reduction=reduction)
    return loss, gradient * (1 - bent * bent) / logits.dtype.type(softcap)


def option_ignored(logits: Array, labels: Array, reduction: str = "mean", temperature: float = 1.0) -> Answer:
    """The temperature is accepted, and ignored."""
    return every_option(logits, labels, reduction=reduction)


def temperature_missing_in_gradient(
    logits: Array, labels: Array, reduction: str = "mean", temperature: float = 1.0
) -> Answer:
    """The gradient is the one along x/T, not divided by T."""
    return every_option(logits / logits.dtype.type(temperature), labels, reduction=reduction)


def temperature_multiplied(logits: Array, labels: Array, reduction: str = "mean", temperature: float = 1.0) -> Answer:
    """The logits are multiplied by the temperature."""
    factor = logits.dtype.type(temperature)
    loss, gradient = every_option(logits * factor, labels, reduction=reduction)
    return loss, gradient * factor


def z_loss_missing_in_gradient(logits: Array, labels: Array, reduction: str = "mean", z_loss: float = 0.0) -> Answer:
    """The loss has the term lambda lse^2, and the gradient does not."""
    loss, _ = every_option(logits, labels, reduction=reduction, z_loss=z_loss)
    return loss, every_option(logits, labels, reduction=reduction)[1]


def z_loss_missing_in_loss(logits: Array, labels: Array, reduction: str = "mean", z_loss: float = 0.0) -> Answer:
    """The gradient has the part of lambda lse^2, and the loss that is returned is the cross-entropy alone."""
    loss, _ = every_option(logits, labels, reduction=reduction)
    return loss, every_option(logits, labels, reduction=reduction, z_loss=z_loss)[1]


def z_loss_gradient_halved(logits: Array, labels: Array, reduction: str = "mean", z_loss: float = 0.0) -> Answer:
    """The derivative of lse^2 is taken for lse p_j."""
    loss, _ = every_option(logits, labels, reduction=reduction, z_loss=z_loss)
    return loss, every_option(logits, labels, reduction=reduction, z_loss=z_loss / 2)[1]


def z_loss_of_shifted_logits(logits: Array, labels: Array, reduction: str = "mean", z_loss: float = 0.0) -> Answer:
    """The square is that of log sum exp(x - max x): the maximum is not added back."""
    return every_option(below_maximum(logits), labels, reduction=reduction, z_loss=z_loss)


def poly_missing_in_gradient(
    logits: Array, labels: Array, reduction: str = "mean", poly_epsilon: float = 0.0
) -> Answer:
    """The loss has the term epsilon (1 - p_y), and the gradient does not."""
    loss, _ = every_option(logits, labels, reduction=reduction, poly_epsilon=poly_epsilon)
    return loss, every_option(logits, labels, reduction=reduction)[1]


def poly_missing_in_loss(logits: Array, labels: Array, reduction: str = "mean", poly_epsilon: float = 0.0) -> Answer:
    """The gradient has the part of epsilon (1 - p_y), and the loss does not."""
    loss, _ = every_option(logits, labels, reduction=reduction)
    return loss, every_option(logits, labels, reduction=reduction, poly_epsilon=poly_epsilon)[1]


SOFTCAP = {"options": ["softcap"]}
TEMPERATURE = {"options": ["temperature"]}
Z_LOSS = {"options": ["z_loss"]}
POLY = {"options": ["poly_epsilon"]}

SPECIMENS = (
    Specimen(
        softcap_slope_forgotten,
        wrong="g = p - one_hot(y) at the capped logits, without 1 - tanh(x/c)^2",
        mend="multiply the gradient by 1 - tanh(x/c)^2, the derivative of c tanh(x/c)",
        logits=[[1, 0]],
        labels=[0],
        options={"softcap": 2.0},
        killed_by="softcap_is_as_defined",
        claims=SOFTCAP,
    ),
    Specimen(
        softcap_clips,
        wrong="x becomes min(max(x, -c), c); a softcap makes it c tanh(x/c)",
        mend="c tanh(x/c), whose derivative is never quite 0",
        logits=[[1, 0]],
        labels=[0],
        options={"softcap": 2.0},
        killed_by="softcap_is_as_defined",
        claims=SOFTCAP,
    ),
    Specimen(
        softcap_not_scaled_back,
        wrong="x becomes tanh(x/c), without the factor c",
        mend="c tanh(x/c), which is x for small x",
        logits=[[1, 0]],
        labels=[0],
        options={"softcap": 2.0},
        killed_by="softcap_is_as_defined",
        claims=SOFTCAP,
    ),
    Specimen(
        option_ignored,
        wrong="loss and gradient are those without the option, here T: the check that fails names it",
        mend="do with the option what it says, or do not take it",
        logits=[[0, 1]],
        labels=[0],
        options={"temperature": 2.0},
        killed_by="temperature_is_as_defined",
        claims=TEMPERATURE,
    ),
    Specimen(
        temperature_missing_in_gradient,
        wrong="g = softmax(x/T) - one_hot(y), without 1/T",
        mend="divide the gradient by T, the derivative of x/T being 1/T",
        logits=[[0, 0]],
        labels=[0],
        options={"temperature": 2.0},
        killed_by="temperature_is_as_defined",
        claims=TEMPERATURE,
    ),
    Specimen(
        temperature_multiplied,
        wrong="p = softmax(x T); defined as softmax(x/T)",
        mend="divide the logits by the temperature: a high one makes p uniform",
        logits=[[1, 0]],
        labels=[0],
        options={"temperature": 2.0},
        killed_by="temperature_is_as_defined",
        claims=TEMPERATURE,
    ),
    Specimen(
        z_loss_missing_in_gradient,
        wrong="loss = lse - x_y + lambda lse^2, and g = p - one_hot(y)",
        mend="add 2 lambda lse p to the gradient",
        logits=[[0, 0]],
        labels=[0],
        options={"z_loss": 0.25},
        killed_by="z_loss_is_as_defined",
        claims=Z_LOSS,
    ),
    Specimen(
        z_loss_missing_in_loss,
        wrong="g = p - one_hot(y) + 2 lambda lse p, and loss = lse - x_y",
        mend="add lambda lse^2 to each row's loss",
        logits=[[0, 0]],
        labels=[0],
        options={"z_loss": 0.25},
        killed_by="z_loss_is_as_defined",
        claims=Z_LOSS,
    ),
    Specimen(
        z_loss_gradient_halved,
        wrong="g = p - one_hot(y) + lambda lse p; the derivative of lse^2 is 2 lse p",
        mend="add 2 lambda lse p",
        logits=[[0, 0]],
        labels=[0],
        options={"z_loss": 0.25},
        killed_by="z_loss_is_as_defined",
        claims=Z_LOSS,
    ),
    Specimen(
        z_loss_of_shifted_logits,
        wrong="loss = lse - x_y + lambda (lse - max x)^2",
        mend="lse = max x + log sum exp(x - max x), in the gradient too",
        logits=[[1, 0]],
        labels=[0],
        options={"z_loss": 0.25},
        killed_by="z_loss_is_as_defined",
        claims=Z_LOSS,
    ),
    Specimen(
        poly_missing_in_gradient,
        wrong="loss = -log p_y + epsilon (1 - p_y), and g = p - one_hot(y)",
        mend="add -epsilon p_j (delta_jy - p_y) to g_j",
        logits=[[0, 0]],
        labels=[0],
        options={"poly_epsilon": 2.0},
        killed_by="poly_epsilon_is_as_defined",
        claims=POLY,
    ),
    Specimen(
        poly_missing_in_loss,
        wrong="g_j = p_j - delta_jy - epsilon p_j (delta_jy - p_y), and loss = -log p_y",
        mend="add epsilon (1 - p_y) to each row's loss",
        logits=[[0, 0]],
        labels=[0],
        options={"poly_epsilon": 2.0},
        killed_by="poly_epsilon_is_as_defined",
        claims=POLY,
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
