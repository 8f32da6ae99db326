"""A small network for modular addition in float32: its data, its forward and backward pass, and a step of Adam.

The classes are a + b mod p, of all pairs (a, b); the inputs are both numbers one-hot, 2 p columns; the hidden layers
are rectified. Everything is float32, as in a framework; only the gradient by the logits is somebody else's.

[1] Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015.
[2] Prieto et al., Grokking at the edge of numerical stability, arXiv 2501.04697, 2025.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gradlab.problems.problem import Array

BETAS = (0.9, 0.999)
EPSILON = 1e-15  # of Adam: far below its default, so that small gradients still move the weights
SMALLEST_GRADIENT = 1e-22  # below it the squares underflow in float32, and Adam divides by what is left

Gradient = Callable[[Array, Array], tuple[Any, Any]]  # (logits, labels) -> loss, gradient


@dataclass(frozen=True)
class Setting:
    """What is trained: p, the widths of the hidden layers, the share of all p^2 pairs that is seen, and how long."""

    modulus: int
    hidden: tuple[int, ...]
    share: float
    n_steps: int
    learning_rate: float
    every: int  # steps between two points of a curve

    @property
    def n_rows(self) -> int:
        """How many pairs are seen."""
        return int(self.share * self.modulus**2)


@dataclass(frozen=True, eq=False)
class Data:
    """One-hot inputs (N, 2 p) in float32, and labels (N,)."""

    inputs: Array
    labels: Array


@dataclass(frozen=True, eq=False)
class Forward:
    """What a forward pass leaves: the input of each layer, the last one's being the features h; and the logits."""

    activations: list[Array]
    logits: Array


@dataclass(eq=False)
class Parameters:
    """The weights and biases of all layers, W (n_in, n_out) and b (n_out,) in turn, and Adam's two moments of each."""

    values: list[Array]
    first: list[Array]
    second: list[Array]


def drawn_data(setting: Setting, seed: int) -> Data:
    """The pairs that are seen, drawn without repetition."""
    p = setting.modulus
    seen = np.sort(np.random.default_rng([seed, 0]).permutation(p * p)[: setting.n_rows])
    first, second = seen // p, seen % p
    inputs = np.zeros((len(seen), 2 * p), dtype=np.float32)
    rows = np.arange(len(seen))
    inputs[rows, first] = inputs[rows, p + second] = 1
    return Data(inputs, (first + second) % p)


def initial_parameters(setting: Setting, seed: int) -> Parameters:
    """Weights and biases uniform in +- 1/sqrt(n_in), as torch.nn.Linear begins; both moments 0."""
    generator = np.random.default_rng([seed, 1])
    widths = [2 * setting.modulus, *setting.hidden, setting.modulus]
    values: list[Array] = []
    for n_in, n_out in pairwise(widths):
        limit = 1 / math.sqrt(n_in)
        values += [generator.uniform(-limit, limit, shape).astype(np.float32) for shape in ((n_in, n_out), (n_out,))]
    return Parameters(values, [np.zeros_like(one) for one in values], [np.zeros_like(one) for one in values])


def forward(values: list[Array], inputs: Array) -> Forward:
    """The activations and logits, all float32."""
    activations = [inputs]
    for weight, bias in zip(values[:-2:2], values[1:-2:2], strict=True):
        activations.append(np.maximum(activations[-1] @ weight + bias, np.float32(0)))
    return Forward(activations, activations[-1] @ values[-2] + values[-1])


def backward(values: list[Array], passed: Forward, gradient: Array) -> list[Array]:
    """The gradients by weights and biases, in the order of the values, from the one by the logits."""
    found: list[Array] = []
    for layer in reversed(range(len(values) // 2)):
        activation = passed.activations[layer]
        found = [activation.T @ gradient, gradient.sum(axis=0), *found]
        if layer:
            gradient = (gradient @ values[2 * layer].T) * (activation > 0)
    return found


def adam_step(parameters: Parameters, gradients: list[Array], setting: Setting, step: int) -> None:
    """One step of Adam [1, algorithm 1] in place; step counts from 1."""
    first_rate, second_rate = BETAS
    size = np.float32(setting.learning_rate / (1 - first_rate**step))
    scale = np.float32(1 / (1 - second_rate**step))
    for value, first, second, gradient in zip(
        parameters.values, parameters.first, parameters.second, gradients, strict=True
    ):
        first *= np.float32(first_rate)
        first += np.float32(1 - first_rate) * gradient
        second *= np.float32(second_rate)
        second += np.float32(1 - second_rate) * (gradient * gradient)
        value -= size * first / (np.sqrt(second * scale) + np.float32(EPSILON))
