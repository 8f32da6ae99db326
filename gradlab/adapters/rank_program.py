"""One rank of a loss whose classes are spread over processes: it joins the others by torch's gloo, and answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from gradlab.adapters.differentiation import BackwardPass
from gradlab.adapters.torch_loss import as_labels, loss_and_gradient, loss_of
from gradlab.adapters.torch_tensors import pair_of_arrays, tensor_of
from gradlab.evaluation.foreign import describe_error
from gradlab.isolation.parent import die_with
from gradlab.problems.problem import Array
from gradlab.targets.callables import callable_for

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
Loss = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class RankQuestion:
    """What a rank is asked, or all together: logits, targets, options, and how the gradient is asked for."""

    logits: Array
    targets: Array
    options: dict[str, Any] = field(default_factory=dict)
    backward: BackwardPass = field(default_factory=BackwardPass)


@dataclass(frozen=True, eq=False)
class RankAnswer:
    """What a rank says: its loss and its shard of the gradient; or `fault`, why it has none.

    is_pair: of the second answer, which has nothing else, whether the loss returns its gradient too. The first one says
    that all ranks are there.
    """

    loss: Array = field(default_factory=lambda: np.empty(0))
    gradient: Array = field(default_factory=lambda: np.empty((0, 0)))
    fault: str = ""
    is_pair: bool = False


def start(connection: int, parent: int, rank: int, size: int, reference: str, meeting: str, seconds: float) -> None:
    """Joins the other ranks and says so, says what the loss returns, and answers until nobody asks any more.

    meeting: the path of a file that is not there yet, the same for all. seconds: how long one waits for the others.
    """
    die_with(parent)
    import torch
    import torch.distributed as dist

    end = Connection(connection)
    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)
    limit = timedelta(seconds=seconds)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size, timeout=limit)
    given = loss_of(callable_for(f"ranks:{size}", (), reference).function, reference)
    group: Any = dist.group.WORLD

    def loss(x: Any, labels: Any, **options: Any) -> Any:
        return given(x, labels, group, **options)

    end.send(RankAnswer())
    is_pair = _returns_a_pair(loss)
    end.send(RankAnswer(is_pair=is_pair))
    while True:
        try:
            question = end.recv()
        except EOFError:
            os._exit(0)
        end.send(_answer(loss, question, is_pair))


def _answer(loss: Loss, question: RankQuestion, is_pair: bool) -> RankAnswer:
    with_options = partial(loss, **{name: _tensor(one) for name, one in question.options.items()})
    try:
        if is_pair:
            labels = tensor_of(as_labels(question.targets))
            return RankAnswer(*pair_of_arrays(with_options(tensor_of(question.logits), labels)))
        return RankAnswer(*loss_and_gradient(with_options, question.logits, question.targets, question.backward))
    except Exception as error:
        return RankAnswer(fault=f"raised {describe_error(error)}")


def _returns_a_pair(loss: Loss) -> bool:
    """Whether a call returns (loss, gradient); not where it raises, which calls that are judged will show.

    If not, torch differentiates it once, which loads what it needs for that.
    """
    logits, labels = np.zeros((4, 8), np.float32), np.zeros(4, np.int64)
    try:
        if isinstance(loss(tensor_of(logits), tensor_of(labels)), tuple | list):
            return True
        loss_and_gradient(loss, logits, labels, BackwardPass())
    except Exception:
        return False
    return False


def _tensor(option: Any) -> Any:
    return tensor_of(option) if isinstance(option, np.ndarray) else option
