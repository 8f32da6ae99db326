"""A small network for modular addition in float32: its data, its forward and backward pass, and a step of Adam.

The classes are a + b mod p, of all pairs (a, b); the inputs are both numbers one-hot, 2 p of them; the hidden layers
are rectified. Everything is float32, as in a framework; only the gradient by the logits is somebody else's. The
one-hot inputs are nowhere written out: times the first W they are two of its rows.

[1] Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015.
[2] Prieto et al., Grokking at the edge of numerical stability, arXiv 2501.04697, 2025.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from gradlab.problems.problem import Array

FIRST_RATE = 0.9  # at which Adam's first moment forgets
EPSILON = 1e-15  # of Adam: far below its default, so that small gradients still move the weights
SMALLEST_GRADIENT = 1e-22  # below it the squares underflow in float32, and Adam divides by what is left

Gradient = Callable[[Array, Array], tuple[Any, Any]]  # (logits, labels) -> loss, gradient


@dataclass(frozen=True)
class Setting:
    """What is trained: p, the widths of the hidden layers, the share of all p^2 pairs that is seen, and how long.

    every: steps between two points of a curve. second_rate: at which Adam's second moment forgets.
    """

    modulus: int
    hidden: tuple[int, ...]
    share: float
    n_steps: int
    learning_rate: float
    every: int
    second_rate: float = 0.999

    @property
    def n_rows(self) -> int:
        """How many pairs are seen."""
        return int(self.share * self.modulus**2)


@dataclass(frozen=True, eq=False)
class Data:
    """For each pair (a, b) which two of the 2 p inputs are 1, a and p + b, (2, N), and its label, (N,)."""

    inputs: Array
    labels: Array
    n_inputs: int

    @cached_property
    def pairs_of(self) -> list[Array]:
        """The pairs in which each input is 1."""
        first, second = self.inputs
        return [np.flatnonzero((first == place) | (second == place)) for place in range(self.n_inputs)]


@dataclass(frozen=True, eq=False)
class Forward:
    """What a forward pass leaves: the output of each hidden layer, the last being the features h; and the logits."""

    hidden: list[Array]
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
    return Data(np.stack([first, p + second]), (first + second) % p, 2 * p)


def initial_parameters(setting: Setting, seed: int) -> Parameters:
    """Weights and biases uniform in +- 1/sqrt(n_in), as torch.nn.Linear begins; both moments 0."""
    generator = np.random.default_rng([seed, 1])
    widths = [2 * setting.modulus, *setting.hidden, setting.modulus]
    values: list[Array] = []
    for n_in, n_out in pairwise(widths):
        limit = 1 / math.sqrt(n_in)
        values += [generator.uniform(-limit, limit, shape).astype(np.float32) for shape in ((n_in, n_out), (n_out,))]
    return Parameters(values, [np.zeros_like(one) for one in values], [np.zeros_like(one) for one in values])


def forward(values: list[Array], data: Data) -> Forward:
    """The outputs of the hidden layers and the logits, in the dtype of the values."""
    first, second = data.inputs
    output = values[0][first]
    output += values[0][second]
    output += values[1]
    hidden: list[Array] = []
    for weight, bias in zip(values[2::2], values[3::2], strict=True):
        hidden.append(np.maximum(output, 0, out=output))
        output = output @ weight
        output += bias
    return Forward(hidden, output)


def backward(values: list[Array], data: Data, passed: Forward, gradient: Array) -> list[Array]:
    """The gradients by weights and biases, in the order of the values, from the one by the logits.

    Subnormal entries of that one are taken for 0. They are below the last digit of every sum that moves a weight, and
    products with them take a processor ten times as long.
    """
    found: list[Array] = []
    gradient = np.where(np.abs(gradient) < np.finfo(gradient.dtype).tiny, 0, gradient)
    ones = np.ones(len(gradient), gradient.dtype)  # times a matrix: a sum over rows, by BLAS
    for layer in reversed(range(len(passed.hidden))):
        active = passed.hidden[layer]
        found = [active.T @ gradient, ones @ gradient, *found]
        gradient = gradient @ values[2 * layer + 2].T
        gradient *= active > 0
    by_inputs = np.empty_like(values[0])
    for row, pairs in zip(by_inputs, data.pairs_of, strict=True):
        np.matmul(ones[: len(pairs)], gradient.take(pairs, axis=0), out=row)
    return [by_inputs, ones @ gradient, *found]


def adam_step(parameters: Parameters, gradients: list[Array], setting: Setting, step: int) -> None:
    """One step of Adam [1, algorithm 1] in place, of the gradients too, which are overwritten; step counts from 1."""
    second_rate = setting.second_rate
    size = np.float32(setting.learning_rate / (1 - FIRST_RATE**step))
    scale = np.float32(1 / (1 - second_rate**step))
    for value, first, second, gradient in zip(
        parameters.values, parameters.first, parameters.second, gradients, strict=True
    ):
        first *= np.float32(FIRST_RATE)
        first += np.float32(1 - FIRST_RATE) * gradient
        second *= np.float32(second_rate)
        np.square(gradient, out=gradient)
        gradient *= np.float32(1 - second_rate)
        second += gradient
        np.sqrt(np.multiply(second, scale, out=gradient), out=gradient)
        gradient += np.float32(EPSILON)
        np.divide(first, gradient, out=gradient)
        gradient *= size
        value -= gradient
