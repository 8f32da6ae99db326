"""Training loops of torch: a module that is handed over, and orders by torch's own generators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch")

from gradlab.adapters.torch_trainer import generators, on_tensors  # noqa: E402  # where torch is installed
from gradlab.trainer.call import Trained, Trainer, train, trainer_of  # noqa: E402
from gradlab.trainer.recognition import in_batches, recognise_trainer, small_problem  # noqa: E402


def stepping(model: Any, X: Any, y: Any, lr: float) -> None:
    model.zero_grad()
    torch.nn.functional.cross_entropy(model(X), y).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= lr * parameter.grad


def in_place(net: Any, X: Any, y: Any, lr: float, epochs: int, batch_size: int) -> list[float]:
    """It draws from the global generator, and returns its losses alone."""
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(batch_size):
            stepping(net, X[rows], y[rows], lr)
    return [0.0]


def by_a_loader(model: Any, X: Any, y: Any, lr: float, epochs: int, batch_size: int) -> Any:
    data = torch.utils.data.TensorDataset(X, y)
    loader = torch.utils.data.DataLoader(data, batch_size, shuffle=True, drop_last=True)
    for _ in range(epochs):
        for some, labels in loader:
            stepping(model, some, labels, lr)
    return model


def by_a_loader_of_its_own(model: Any, X: Any, y: Any, lr: float, epochs: int, batch_size: int, generator: Any) -> Any:
    data = torch.utils.data.TensorDataset(X, y)
    for _ in range(epochs):
        for some, labels in torch.utils.data.DataLoader(data, batch_size, shuffle=True, generator=generator):
            stepping(model, some, labels, lr)
    return model


def after_the_start(X: Any, y: Any, n_classes: int, lr: float, epochs: int, batch_size: int, seed: int) -> Any:
    torch.manual_seed(seed)
    model = torch.nn.Linear(X.shape[1], n_classes)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(batch_size):
            stepping(model, X[rows], y[rows], lr)
    return model


WAYS = {
    in_place: "a permutation of all rows for each epoch, by torch.randperm(0)",
    by_a_loader: "a permutation of all rows for each epoch, without the rows at its end that do not fill a batch,"
    " by torch's DataLoader(0)",
    by_a_loader_of_its_own: "a permutation of all rows for each epoch, by torch's DataLoader, with a generator(0)",
    after_the_start: "a permutation of all rows for each epoch, by torch.randperm(0), after the start",
}


def torch_trainer(function: Any) -> Trainer:
    found = trainer_of(function.__name__, on_tensors(function))
    return Trainer(found.name, found.function, found.taken, makers=generators())


@pytest.mark.parametrize("function", WAYS, ids=lambda one: one.__name__)
def test_the_order_of_torch_is_recognised(function: Any) -> None:
    trainer, _ = recognise_trainer(torch_trainer(function), "float32")
    assert trainer.way is not None
    assert trainer.way.sentence == WAYS[function]


def test_torch_draws_after_a_call_what_it_would_have_drawn() -> None:
    state = torch.get_rng_state()
    trainer, _ = recognise_trainer(torch_trainer(in_place), "float32")
    problem = in_batches(small_problem(trainer, "float32", 0))
    first, second = (train(trainer, problem) for _ in range(2))
    assert isinstance(first, Trained)
    assert (first.parameters == second.parameters).all()
    assert torch.equal(torch.get_rng_state(), state)


def test_a_module_that_is_trained_in_place_is_what_came_back() -> None:
    trainer, _ = recognise_trainer(torch_trainer(in_place), "float64")
    problem = small_problem(trainer, "float64", 0)
    assert trainer.form.start == "module"
    assert np.array_equal(train(trainer, problem).parameters, problem.start64)
