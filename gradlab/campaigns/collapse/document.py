"""The results of the experiment as plain data, and as a table for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from gradlab.campaigns.collapse.keeping import encoded_setting
from gradlab.campaigns.collapse.network import Setting
from gradlab.campaigns.collapse.training import MEASURES, Training
from gradlab.storage.cache import machine_and_packages
from gradlab.storage.encoding import Plain

SCHEMA = "gradlab-collapse-1"
Trainings = Mapping[tuple[str, int], Training]  # by target and seed


def document_of(setting: Setting, trainings: Trainings) -> Plain:
    """All curves, and for each seed the last norm of W's class mean of each target, the first's over the last's."""
    return {
        "schema": SCHEMA,
        "setting": encoded_setting(setting),
        "machine": machine_and_packages().splitlines(),
        "trainings": [
            {
                "target": target,
                "seed": seed,
                "n_steps": training.n_done,
                "ended": training.ended,
                "curve": {name: [_finite(point[name]) for point in training.curve] for name in ("step", *MEASURES)},
            }
            for (target, seed), training in trainings.items()
        ],
        "ratios": [
            {"seed": seed, "mean_weight": by_target, "ratio": _finite(ratio)}
            for seed, by_target, ratio in ratios(trainings)
        ],
    }


def ratios(trainings: Trainings) -> Iterator[tuple[int, dict[str, float], float]]:
    """For each seed the last norm of W's class mean of each target, and the first target's over the last's."""
    for seed in dict.fromkeys(seed for _, seed in trainings):
        by_target = {name: one.curve[-1]["mean_weight"] for (name, own), one in trainings.items() if own == seed}
        values = list(by_target.values())
        yield seed, by_target, values[0] / values[-1] if values[-1] else math.inf


def table_lines(trainings: Trainings) -> list[str]:
    """A table in Markdown: a row for each training with its measures at the end, then the ratio for each seed."""
    head = ["target", "seed", "steps", *MEASURES.values()]
    rows = [
        [target, str(seed), f"{one.n_done:,}", *(f"{one.curve[-1][name]:.3g}" for name in MEASURES)]
        for (target, seed), one in trainings.items()
    ]
    lines = [*_markdown(head, rows), ""]
    names = list(dict.fromkeys(target for target, _ in trainings))
    said = f"{MEASURES['mean_weight']} at the end, {names[0]} over {names[-1]}"
    return [*lines, *(f"seed {seed}: {said}: {ratio:.3g}" for seed, _, ratio in ratios(trainings))]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    first, *others = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return [first, "|" + " --- |" * len(head), *others]


def _finite(value: float) -> float | str:
    """The number to seven digits, as many as float32 has, or its name where strict JSON has none for it."""
    return float(f"{value:.7g}") if math.isfinite(value) else str(value)
