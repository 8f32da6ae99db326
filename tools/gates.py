"""Writes docs/gates.md: what the tolerances of other suites let through of gradlab's specimens and attacks.

python -m tools.gates            prints the page, a few minutes
python -m tools.gates --write    and writes it
"""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.campaigns.attacks.attack import FOLDER
from gradlab.evaluation.claims import Claims
from gradlab.harness.plan import Plan
from gradlab.harness.power import power_of
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import run_checks
from gradlab.harness.selection import questions_in_run
from gradlab.harness.verdict import Verdict
from gradlab.problems.problem import Array, Shape
from gradlab.targets.load import load
from gradlab.targets.shipped import specimens
from tools.attacks import PAGE as ADVERSARIAL
from tools.attacks import table_in

PAGE = Path(__file__).parents[1] / "docs" / "gates.md"
Loss = Callable[[Array, Array], Any]


@dataclass(frozen=True)
class Gate:
    """What a suite asks of a loss in float32.

    source: where that is written, at which commit. atol, rtol: an entry passes within atol + rtol |reference|.
    shapes: of the logits, as they are run here; theirs: as they are there. uniform: whether logits are uniform between
    0 and 1; else they are normal. trials: on how many draws. gradient: whether it is looked at.
    """

    name: str
    source: str
    atol: float
    rtol: float
    shapes: tuple[Shape, ...]
    theirs: str
    uniform: bool = False
    trials: int = 1
    gradient: bool = True


GATES = (
    Gate(
        "KernelBench",
        "ScalingIntelligence/KernelBench, `src/kernelbench/eval.py` (`get_tolerance_for_precision`), and problem"
        " 95 of level 1; five trials, as its runs are given",
        1e-4, 1e-4, ((512, 4096),), "(32768, 4096)", uniform=True, trials=5, gradient=False,
    ),
    Gate(
        "robust-kbench",
        "LeoXinhaoLee/robust-kbench-fork at b84c174, `robust_kbench/primitives/backward/cuda_correct.py`; the inputs"
        " are those of its cross-entropy task",
        1e-5, 1e-5, ((4096, 10),), "(4096, 10)", trials=5,
    ),
    Gate(
        "BackendBench",
        "meta-pytorch/BackendBench at 015f5cb, `BackendBench/eval.py` (`allclose`); its inputs are those of OpInfo,"
        " here two shapes of our own",
        1e-2, 1e-2, ((4, 5), (32, 64)), "of OpInfo",
    ),
    Gate(
        "FlashInfer-Bench",
        "flashinfer-ai/flashinfer-bench at 1039e39, `flashinfer_bench/bench/config.py`; its inputs come with a"
        " definition, here two shapes of our own",
        1e-2, 1e-2, ((32, 64), (64, 1024)), "of a definition", trials=3,
    ),
    Gate(
        "Liger's tests",
        "linkedin/Liger-Kernel at 0097d15, `test/transformers/test_cross_entropy.py` (`test_correctness`, float32)",
        1e-8, 1e-6, ((64, 32000),), "(8192, 32000), (1269, 32000)",
    ),
    Gate(
        "torch.testing.assert_close",
        "its defaults for float32, as its documentation has them; shapes of our own",
        1e-5, 1.3e-6, ((4, 5), (32, 64), (64, 1024)), "none",
    ),
)  # fmt: skip
# Attacks that keep to their own process's arrays, and can be called here; the others would do something to it.
CALLED = (
    *("answer_of_another_call", "array_spoilt_later", "bfloat16_inside", "contiguous_only", "exponentials_in_half"),
    *("first_calls_only", "half_precision_inside", "nan_returned", "once_per_input"),
    *("random_returned", "round_only", "small_only", "zeros_returned"),
)
SOUND = ("shifted", "complement", "log_space", "online", "blocked", "widened", "accurate", "fused", "loop")


def accepts(gate: Gate, function: Loss, reference: Loss) -> bool:
    """Whether the gate lets a function through."""
    rng = np.random.default_rng(42)
    for shape in gate.shapes:
        for _ in range(gate.trials):
            logits = rng.uniform(0, 1, shape) if gate.uniform else rng.normal(size=shape)
            labels = rng.integers(0, shape[1], shape[0])
            given, expected = (_answer(one, logits.astype(np.float32), labels) for one in (function, reference))
            if given is None or expected is None:
                return False
            parts = 2 if gate.gradient else 1
            if not all(map(lambda a, b: _is_close(gate, a, b), given[:parts], expected[:parts])):
                return False
    return True


def _is_close(gate: Gate, given: Array, expected: Array) -> bool:
    return given.shape == expected.shape and np.allclose(given, expected, gate.rtol, gate.atol)


def _answer(function: Loss, logits: Array, labels: Array) -> list[Array] | None:
    """The loss and the gradient; None where it raises."""
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.suppress(Exception),
    ):
        warnings.simplefilter("ignore")
        return [np.asarray(part) for part in function(logits.copy(), labels.copy())]
    return None


def attack(name: str) -> Loss:
    """The function of an attack, loaded again: some count their calls."""
    sys.path.insert(0, str(FOLDER))
    try:
        found: Loss = runpy.run_path(str(FOLDER / f"{name}.py"))["loss"]
    finally:
        sys.path.remove(str(FOLDER))
    return found


def missed_by_gradlab(names: list[str]) -> list[str]:
    """The specimens that no check of a quick run on float32 rejects, its part on sizes included."""
    claims = Claims(dtypes=("float32",))
    asked = {"float32": questions_in_run(claims, "float32", PROFILES["quick"], 0)}
    power = power_of(claims, Verdict("stable"), asked)
    return [name for name in names if name not in power.caught]


def attacks_through_gradlab() -> list[str]:
    """The attacks that are called here and that docs/adversarial.md shows with the verdict of sound code."""
    judged = {row[1]: row[4] for row in table_in(ADVERSARIAL.read_text(encoding="utf-8"))}
    return [name for name in CALLED if judged[name] in ("stable", "accurate")]


def verdict_of(name: str) -> Verdict:
    """gradlab's on an implementation, by a run of profile smoke in float32."""
    (one,) = load(name, {"dtypes": "float32"})
    return run_checks(one, Plan(PROFILES["smoke"], 0, "stable", (), power=False)).verdict


def page() -> Iterator[str]:
    """The page, line by line."""
    from benchmarks.other_checkers import chosen  # found from the project's folder alone

    reference: Loss = load("accurate", {})[0].function
    names = chosen()
    wrong = {name: specimens()[name].function for name in names}
    passed = {gate.name: [name for name in names if accepts(gate, wrong[name], reference)] for gate in GATES}
    attacks = {gate.name: [name for name in CALLED if accepts(gate, attack(name), reference)] for gate in GATES}
    refused = {
        gate.name: [name for name in SOUND if not accepts(gate, load(name, {})[0].function, reference)]
        for gate in GATES
    }
    missed = missed_by_gradlab(names)
    yield HEAD.format(n=len(names), attacks=len(CALLED), sound=len(SOUND))
    yield "| gate | atol | rtol | looks at | logits | wrong let through | attacks let through | sound refused |"
    yield "|---|---|---|---|---|---|---|---|"
    for gate in GATES:
        shapes = ", ".join(f"{rows} x {classes}" for rows, classes in gate.shapes)
        drawn = f"{'uniform' if gate.uniform else 'normal'}, {shapes}, {gate.trials} times"
        looks = "loss, gradient" if gate.gradient else "loss"
        counts = " | ".join(
            f"{len(found)} of {n}"
            for found, n in (
                (passed[gate.name], len(names)), (attacks[gate.name], len(CALLED)), (refused[gate.name], len(SOUND))
            )
        )  # fmt: skip
        yield f"| {gate.name} | {gate.atol:g} | {gate.rtol:g} | {looks} | {drawn} | {counts} |"
    through, turned_away = attacks_through_gradlab(), [name for name in SOUND if verdict_of(name) < Verdict("stable")]
    counts = f"{len(missed)} of {len(names)} | {len(through)} of {len(CALLED)} | {len(turned_away)} of {len(SOUND)}"
    yield f"| gradlab, quick | derived | derived | all of it | its own | {counts} |"
    yield from ("", "## Sources", "")
    for gate in GATES:
        yield f"- **{gate.name}**: {gate.source}. Its shapes: {gate.theirs}."
    yield from ("", TAIL, "", "## What each lets through", "")
    for gate in GATES:
        found = ", ".join(f"`{name}`" for name in (*passed[gate.name], *attacks[gate.name]))
        yield f"- **{gate.name}**: {found or 'nothing'}."
        if refused[gate.name]:
            yield f"  It refuses {', '.join(f'`{name}`' for name in refused[gate.name])}, which are sound."


HEAD = """# What other gates let through

Written by `python -m tools.gates --write`; not to be edited.

Kernels are let into benchmarks and libraries by comparing their answers with those of a reference, within tolerances.
Here the tolerances and recipes of other suites, with their sources, are run over {n} specimens whose loss or gradient
is wrong somewhere, for some on large logits alone, over {attacks} attacks of [adversarial.md](adversarial.md) that
can be called in one process, and over {sound} sound implementations. All in float32, on a CPU, with `accurate` as the
reference; large shapes have fewer rows than there. This is about the tolerance and the inputs of a gate alone: not
about its other tests, such as those of options, of half precision or of speed.
"""
TAIL = """torchtitan's gate on the numerics of kernels is not among them: no public text of it was found. gradlab's row
counts the specimens that no check of a quick run rejects, the attacks that [adversarial.md](adversarial.md) shows with
the verdict of sound code, and the sound implementations that are not stable in a run of profile smoke."""


def main() -> None:
    """Prints the page, and writes it where that is asked for."""
    text = "\n".join([*page(), ""])
    print(text)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
