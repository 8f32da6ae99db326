"""Devices of torch and JAX: where arrays are put, what is waited for, and what an error of a device comes to.

A real accelerator is tried where there is one; elsewhere those tests are skipped. The logic is tried on `cpu:0`, on
`meta`, and with a module of a device that says what it is told.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.adapters.torch_device import TorchDevice, torch_device
from gradlab.adapters.torch_tensors import FILL, GUARD, guarded
from gradlab.targets.load import TargetError, load
from gradlab.targets.prefixes import split_prefix, with_device

torch = pytest.importorskip("torch")
KINDS = ("cuda", "xpu", "mps")
LOSSES = """
import torch

def loss(logits, labels):
    return torch.nn.functional.cross_entropy(logits, labels)

def where(logits, labels):
    assert str(logits.device) == str(labels.device) == "cpu", (logits.device, labels.device)
    return loss(logits, labels)

def beside(logits, labels):
    with torch.no_grad():
        logits.detach().as_strided((1,), (1,), logits.storage_offset() + logits.numel())[0] = 1
    return loss(logits, labels)

def breaks_the_device(logits, labels):
    def broken(*_):
        raise RuntimeError("CUDA error: device-side assert triggered")
    torch.cpu.synchronize = broken
    return loss(logits, labels)
"""


class Module:
    """A module of devices that counts what it is asked; after `n_good` of its waits, each of them fails."""

    def __init__(self, n_good: float = float("inf")) -> None:
        self.n_good, self.n_waits, self.held = n_good, 0, 0

    def synchronize(self, *number: int) -> None:
        self.n_waits += 1
        if self.n_waits > self.n_good:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    def reset_peak_memory_stats(self, *number: int) -> None:
        self.held = 0

    def memory_allocated(self, *number: int) -> int:
        return 1000

    def max_memory_allocated(self, *number: int) -> int:
        return 1000 + self.held


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "losses.py").write_text(LOSSES)
    (tmp_path / "plain.py").write_text("def loss(logits, labels): ...\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_target_has_its_device_in_its_prefix() -> None:
    assert with_device("torch:a.py:loss", "cuda:1") == "torch@cuda:1:a.py:loss"
    assert split_prefix("torch@cuda:1:a.py:loss") == ("torch@cuda:1:", "a.py:loss")
    assert split_prefix("jax@gpu:a.py:loss") == ("jax@gpu:", "a.py:loss")
    assert with_device("torch@cpu:a.py:loss", "cuda") == "torch@cpu:a.py:loss"


@pytest.mark.parametrize("target", ["shifted", "a.py:loss", "pair:a.py:loss", "layer:torch:a.py:loss"])
def test_a_device_goes_with_frameworks_that_have_some(target: str) -> None:
    with pytest.raises(TargetError, match=r"^a device goes with targets that begin with torch:, .*does not$"):
        with_device(target, "cuda")


@pytest.mark.usefixtures("folder")
def test_arrays_are_put_on_the_device() -> None:
    logits, labels = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([0, 1])
    loss, gradient = load("torch@cpu:0:losses.py:where", {})[0].function(logits, labels)
    exact = load("torch:losses.py:loss", {})[0].function(logits, labels)
    np.testing.assert_array_equal(loss, exact[0])
    np.testing.assert_array_equal(gradient, exact[1])


def test_a_tensor_on_meta_is_on_meta() -> None:
    placed = TorchDevice("meta", Module()).put(np.zeros((2, 3), np.float32))
    assert (str(placed.device), tuple(placed.shape)) == ("meta", (2, 3))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("device", "told"),
    [
        ("meta", "tensors on meta have shapes and no numbers, so there is nothing to judge"),
        ("cpu:7", "there are 1 devices 'cpu', the first has number 0, got 7"),
        ("abacus", "knows no device 'abacus'"),
    ],
)
def test_a_device_without_numbers_or_without_existence_is_refused(device: str, told: str) -> None:
    with pytest.raises(TargetError, match=told):
        load(f"torch@{device}:losses.py:loss", {})


def test_a_call_is_waited_for_and_its_error_is_its_own() -> None:
    module = Module()
    assert TorchDevice("cpu:0", module).call(lambda x: x.sum().item(), np.ones((2, 2))) == 4
    assert module.n_waits == 1
    with pytest.raises(RuntimeError, match="illegal memory access"):
        TorchDevice("cpu:0", Module(n_good=0)).call(lambda x: x, np.ones((2, 2)))


def test_a_device_is_usable_until_waiting_for_it_fails() -> None:
    assert TorchDevice("cpu:0", Module()).is_usable()
    assert not TorchDevice("cpu:0", Module(n_good=0)).is_usable()


def test_memory_is_by_the_count_of_the_device() -> None:
    module = Module()
    device = TorchDevice("cpu:0", module)

    def call() -> int:
        module.held = 500
        return 120

    assert device.counts_memory
    assert device.most_held(call) == 380
    assert not torch_device("cpu:0", "a target").counts_memory


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_a_guarded_tensor_has_the_strides_of_its_array_and_no_numbers_beside_it(dtype: str) -> None:
    array = np.arange(24, dtype=dtype).reshape(4, 6)[:, ::2]
    placed = guarded(array, "cpu")
    assert placed.tensor.stride() == (6, 2)
    np.testing.assert_array_equal(placed.tensor.numpy(), array)
    beside = placed.tensor.as_strided((2,), (GUARD + 1,), placed.tensor.storage_offset() - 1)
    assert bool(beside[0].isnan())
    assert FILL == 255


def test_what_is_written_to_a_guarded_tensor_is_in_the_array() -> None:
    array = np.zeros((2, 3))
    placed = guarded(array, "cpu")
    placed.tensor[1, 2] = 7
    placed.take_back("logits")
    assert array[1, 2] == 7


@pytest.mark.usefixtures("folder")
def test_writing_beside_the_logits_is_an_error() -> None:
    function = load("torch@cpu:losses.py:beside", {})[0].function
    with pytest.raises(IndexError, match=r"^wrote 1 entries outside the logits: a store needs a mask there$"):
        function(np.zeros((2, 3)), np.array([0, 1]))


@pytest.mark.usefixtures("folder")
def test_an_error_that_leaves_the_device_unusable_is_a_finding_and_the_next_target_is_checked() -> None:
    command = [
        sys.executable,
        "-m",
        "gradlab",
        "check",
        "--profile",
        "smoke",
        "--dtype",
        "float32",
        "--device",
        "cpu:0",
    ]
    targets = ["torch:losses.py:breaks_the_device", "torch:losses.py:loss", "--json", "report.json"]
    ran = subprocess.run([*command, *targets], capture_output=True, text=True)
    assert ran.returncode == 1, ran.stderr
    broken, sound = json.loads(Path("report.json").read_text())["implementations"]
    assert (broken["verdict"], sound["verdict"]) == ("wrong", "stable")
    assert "left its device in a state in which nothing runs there any more" in ran.stdout
    assert "device-side assert triggered" in ran.stdout


@pytest.mark.usefixtures("folder")
def test_the_command_refuses_a_device_for_a_plain_function() -> None:
    command = [sys.executable, "-m", "gradlab", "check", "--device", "cuda", "plain.py:loss"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.startswith("gradlab: a device goes with targets that begin with torch:, ")


def _is_there(kind: str) -> bool:
    module: Any = getattr(torch, kind, None)
    return module is not None and module.is_available()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("kind", KINDS)
def test_an_accelerator_gives_the_answer_of_the_cpu(kind: str) -> None:
    if not _is_there(kind):
        pytest.skip(f"torch finds no device {kind!r} on this machine")
    logits, labels = np.array([[1.0, 2.0], [0.5, -1.0]], np.float32), np.array([0, 1])
    loss, gradient = load(f"torch@{kind}:losses.py:loss", {})[0].function(logits, labels)
    exact = load("torch:losses.py:loss", {})[0].function(logits, labels)
    np.testing.assert_allclose(loss, exact[0], rtol=1e-6)
    np.testing.assert_allclose(gradient, exact[1], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_accelerator_is_one_line(kind: str) -> None:
    if _is_there(kind):
        pytest.skip(f"there is a device {kind!r}")
    with pytest.raises(TargetError, match=f"finds no device '{kind}' on this machine"):
        torch_device(kind, "a target")
