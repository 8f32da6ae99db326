"""How the layers of frameworks and libraries are called by hand: five lines of Python that need no gradlab.

A recipe is a template; a problem's numbers, its dtype and its options are filled in.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from gradlab.evaluation.text import one_line
from gradlab.layer.formatting import n_numbers
from gradlab.layer.problem import LayerProblem
from gradlab.problems.formatting import numbers
from gradlab.problems.problem import Array

MAX_NUMBERS = 60  # of features, weight and bias, that a reader can look through
SECONDS = 300.0  # that the lines may take: some frameworks are imported for a minute on a slow machine
SHOWN = 600  # characters of what they print

_TORCH = (
    "import torch; from torch.nn import functional as F; inf = torch.inf",
    "X, W, b = (torch.tensor(a, dtype=torch.{dtype}, requires_grad=True) for a in ({X}, {W_turned}, {b}))",
    "loss = {call}",
    "loss.backward()",
    "print(loss.item(), X.grad, W.grad, b.grad)",
)
_OPTIONS = "reduction={reduction!r}, ignore_index={ignored}"
_CHUNKED = (
    f"F.linear_cross_entropy(X, W, torch.tensor({{y}}), linear_bias=b, {_OPTIONS}, "
    "options=torch.nn.LinearCrossEntropyOptions(acc_policy={policy!r}))"
)
_PLAIN = f"F.linear_cross_entropy(X, W, torch.tensor({{y}}), linear_bias=b, {_OPTIONS})"
_EAGER = f"F.cross_entropy(F.linear(X, W, b), torch.tensor({{y}}), {_OPTIONS})"
_LIGER = (
    'import os; os.environ["TRITON_INTERPRET"] = "1"; import torch',
    "from liger_kernel.ops.fused_linear_cross_entropy import LigerFusedLinearCrossEntropyFunction as Liger",
    _TORCH[1],
    "loss = Liger.apply(X, W, torch.tensor({y}), b, None, {ignored}, 0.0, 0.0, {reduction!r})[0]; loss.backward()",
    _TORCH[4],
)
_MEGATRON = (
    "import torch; import torch.distributed as d; from megatron.core import parallel_state, tensor_parallel as t",
    'd.init_process_group("gloo", store=d.HashStore(), rank=0, world_size=1); '
    "parallel_state.initialize_model_parallel()",
    _TORCH[1],
    "loss = t.vocab_parallel_cross_entropy(torch.nn.functional.linear(X, W, b), torch.tensor({y})).mean(); "
    "loss.backward()",
    _TORCH[4],
)
_JAX_CCE = (
    "import jax, jax.numpy as jnp; from jax_cce import linear_cross_entropy; inf = jnp.inf",
    "X, W, y = jnp.array({X}), jnp.array({W_turned}), jnp.array({y})",
    "print(jax.value_and_grad(linear_cross_entropy, (0, 1))(X, W, y))",
)
_JAX = (
    "import jax, jax.numpy as jnp; inf = jnp.inf; jax.config.update('jax_enable_x64', {is_float64})",
    "X, W, b, y = jnp.array({X}), jnp.array({W}), jnp.array({b}), jnp.array({y})",
    "f = lambda X, W, b: -jax.nn.log_softmax(X @ W + b)[jnp.arange(len(y)), y].mean()",
    "print(jax.value_and_grad(f, (0, 1, 2))(X, W, b))",
)
_SKLEARN = (
    "import numpy as np; from sklearn._loss import HalfMultinomialLoss; inf = np.inf",
    "from sklearn.linear_model._linear_loss import LinearModelLoss",
    "model = LinearModelLoss(HalfMultinomialLoss(n_classes={K}), fit_intercept=True)",
    "X, W, b, y = (np.array(a, np.{dtype}) for a in ({X}, {W_turned}, {b}, {y}))",
    "print(*model.loss_gradient(np.asfortranarray(np.c_[W, b]), X, y, l2_reg_strength={l2}))",
)
_STATSMODELS = (
    "import numpy as np; from statsmodels.discrete.discrete_model import MNLogit; inf = np.inf",
    "X, W, b, Y = np.array({X}, float), np.array({W}, float), np.array({b}, float), np.eye({K})[{y}]",
    "model = MNLogit(Y, np.c_[X, np.ones(len(X))], check_rank=False)",
    "parameters = (np.r_[W, [b]][:, 1:] - np.r_[W, [b]][:, :1]).ravel('F')",
    "print(-model.loglike(parameters), -model.score(parameters))",
)
_MLXTEND = (
    "import numpy as np; from mlxtend.classifier import SoftmaxRegression; inf = np.inf",
    "model, X, Y = SoftmaxRegression(l2={l2}, n_classes={K}), np.array({X}, np.{dtype}), np.eye({K})[{y}]",
    "model.w_, model.b_ = np.array({W}, np.{dtype}), np.array({b}, np.{dtype})",
    "p = model._forward(X)",
    "print(model._cost(model._cross_entropy(p, Y)), *model._backward(X, Y, p))",
)

RECIPES: Mapping[str, Sequence[str]] = {
    "layer:torch:cross_entropy": tuple(line.replace("{call}", _EAGER) for line in _TORCH),
    "layer:torch:linear_cross_entropy": tuple(line.replace("{call}", _PLAIN) for line in _TORCH),
    **{
        f"layer:torch:linear_cross_entropy_{policy}": tuple(
            line.replace("{call}", _CHUNKED.replace("{policy!r}", repr(policy))) for line in _TORCH
        )
        for policy in ("auto", "accurate", "compact")
    },
    "layer:liger:fused_linear_cross_entropy": _LIGER,
    "layer:megatron:vocab_parallel_cross_entropy": _MEGATRON,
    "layer:jax:jax_cce.linear_cross_entropy": _JAX_CCE,
    "layer:jax:log_softmax": _JAX,
    "layer:sklearn:LinearModelLoss": _SKLEARN,
    "layer:statsmodels:MNLogit": _STATSMODELS,
    "layer:mlxtend:SoftmaxRegression": _MLXTEND,
}
PLAIN_OPTIONS = {"ignore_index"}  # that the templates fill in
DEFAULT_IGNORED = -100


def lines_for(target: str, problem: LayerProblem, labels: Array | None = None) -> list[str]:
    """The lines that ask a target for a problem, with other labels where some are given.

    None of them where no recipe is known, where the problem has other options, and where it is too large to be read.
    """
    objective = problem.objective
    known = target in RECIPES and set(objective.options) <= PLAIN_OPTIONS and objective.targets == "index"
    if not known or n_numbers(problem) > MAX_NUMBERS:
        return []
    bias = np.zeros(problem.n_classes, problem.weight.dtype) if problem.bias is None else problem.bias
    filled = {
        "X": numbers(problem.features),
        "W": numbers(problem.weight),
        "W_turned": numbers(np.ascontiguousarray(problem.weight.T)),
        "b": numbers(bias),
        "y": (problem.targets if labels is None else labels).tolist(),
        "K": problem.n_classes,
        "l2": problem.penalty.strength,
        "dtype": problem.format.name,
        "is_float64": problem.format.name == "float64",
        "reduction": objective.reduction,
        "ignored": DEFAULT_IGNORED if objective.ignore_index is None else objective.ignore_index,
    }
    return [line.format(**filled) for line in RECIPES[target]]


def printed_by(lines: Sequence[str]) -> str:
    """What the lines print in a Python of their own, on one line; how they end it where they do, or time is up."""
    code = "import warnings; warnings.simplefilter('ignore')\n" + "\n".join(lines)
    try:
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"nothing within {SECONDS:g} s"
    said = " ".join(ran.stdout.split())[:SHOWN]
    if ran.returncode == 0:
        return said
    last = one_line(next(iter(reversed(ran.stderr.strip().splitlines())), ""))
    ending = f"ends its process by signal {-ran.returncode}" if ran.returncode < 0 else "raises"
    return "; ".join(filter(None, (said, f"{ending}: {last[:SHOWN]}" if last else ending)))
