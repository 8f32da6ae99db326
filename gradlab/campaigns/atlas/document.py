"""The atlas as plain data for JSON: what was measured, of which versions and where; every input can be made again."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from gradlab.campaigns.atlas.atlas import (
    CLIMBED,
    CLIMBED_PURPOSE,
    PROFILE,
    SEEDS,
    Behaviour,
    FamilyErrors,
    Judged,
    Measurement,
)
from gradlab.campaigns.conformance.document import encode_cases, encode_profile
from gradlab.campaigns.exhaustive.certificate import Certificate
from gradlab.campaigns.exhaustive.lookup import dependencies_in
from gradlab.campaigns.exhaustive.sources import same_contents
from gradlab.campaigns.exhaustive.tally import Quantity, Worst
from gradlab.campaigns.exhaustive.truth import margins_of
from gradlab.cases.cases import json_number
from gradlab.evaluation.call import Implementation
from gradlab.harness.verdict import Verdict
from gradlab.measure.accuracy import PARTS
from gradlab.measure.machine import numpy_simd, processor
from gradlab.problems.dtypes import format_of
from gradlab.problems.families import FAMILIES, Family, problems_in
from gradlab.problems.families.placing import underflows
from gradlab.storage.encoding import Plain, encoded_problem, hex_of
from gradlab.storage.files import parsed_json

SCHEMA, SCHEMA_VERSION = "gradlab-atlas", 4
SMALL = 8  # a problem of at most so many logits is written out where it is met, and one that has no number
MODERATE = 1024  # one of at most so many stands among the inputs, once for all targets
FRAMEWORKS = (
    "torch",
    "jax",
    "jaxlib",
    "optax",
    "scikit-learn",
    "scipy",
    "autograd",
    "tensorflow",
    "keras",
    "mlx",
    "numba",
)


@dataclass(frozen=True)
class Missing:
    """A target that was left out, and why."""

    target: str
    reason: str


def document(command: str, families: Sequence[Family], entries: Sequence[Plain], missing: Sequence[Missing]) -> Plain:
    """The whole atlas; entries as `with_behaviour` gives them."""
    return {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "command": command,
        "profile": PROFILE,
        "seeds": list(SEEDS),
        "machine": machine(),
        "versions": versions_of(FRAMEWORKS),
        "families": {family.name: family.purpose for family in families} | _climbed_purpose(entries),
        "cases": encode_cases(),
        "vanishes_rightly": {name: hex_of(underflows(format_of(name))) for name in ("float32", "float64")},
        "missing": [{"target": one.target, "reason": one.reason} for one in missing],
        "inputs": _inputs(entries),
        "targets": list(entries),
    }


def machine() -> Plain:
    """Where it was measured."""
    return {
        "python": platform.python_version(),
        "processor": processor("model name"),
        "numpy_simd": numpy_simd(),
    }


def place_of(dtype: str, family: str, part: Plain) -> str:
    """The key of a part's worst problem among the inputs."""
    return f"{dtype} {family}[{part['index']}], seed {part['seed']}"


def _inputs(entries: Sequence[Plain]) -> dict[str, Plain]:
    """The worst problems that are not written out where they are met, and are not too large for it."""
    found = {}
    for chart in (chart for entry in entries for chart in entry["charts"]):
        for family, part in ((one["family"], part) for one in chart["families"] for part in one["parts"].values()):
            if part["index"] is not None and part["problem"] is None and math.prod(part["shape"]) <= MODERATE:
                found[place_of(chart["dtype"], family, part)] = (chart["dtype"], family, part)
    return {place: _input(*found[place]) for place in sorted(found)}


def _input(dtype: str, family: str, part: Plain) -> Plain:
    (found,) = [one for one in FAMILIES if one.name == family]
    return encoded_problem(problems_in(found, format_of(dtype), part["seed"])[part["index"]])


def _climbed_purpose(entries: Sequence[Plain]) -> dict[str, str]:
    charts = [chart for entry in entries for chart in entry["charts"]]
    return {CLIMBED: CLIMBED_PURPOSE} if any(chart["families"][-1]["family"] == CLIMBED for chart in charts) else {}


def encode_entry(
    implementation: Implementation, measured: Sequence[Measurement], certificates: Sequence[Certificate]
) -> Plain:
    """What was measured of one target, and what certificates say of it as it is now; `with_behaviour` adds the rest."""
    return {
        "target": implementation.target,
        "reduction": "mean" if "mean" in implementation.claims.reduction else implementation.claims.reduction[0],
        "charts": [_encode_measurement(one) for one in measured],
        "exhaustive": next(_certified_errors(implementation, certificates), None),
    }


def encode_behaviour(behaviour: Sequence[Behaviour]) -> Plain:
    """What was seen of its behaviour, by dtype."""
    return {one.dtype: {"conformance": encode_profile(one.profile), **_encode_judged(one.judged)} for one in behaviour}


def with_behaviour(entry: Plain, behaviour: Plain) -> Plain:
    """The whole entry: the lower of both verdicts, and the checks that keep it there, the most costly first."""
    return {**entry, "charts": [_merge(chart, behaviour[chart["dtype"]]) for chart in entry["charts"]]}


def _merge(chart: Plain, behaviour: Plain) -> Plain:
    verdict = min(Verdict(one["verdict"]) for one in (chart, behaviour))
    costs = sorted([*chart["costs"], *behaviour["costs"]])
    merged = {**chart, "verdict": str(verdict), "failed": [name for _, name in costs]}
    del merged["costs"]
    return {**merged, "conformance": behaviour["conformance"]}


def _encode_judged(judged: Judged) -> Plain:
    return {"verdict": str(judged.verdict), "costs": [[list(cost), name] for cost, name in judged.costs]}


def read_atlas(path: Path) -> Plain:
    """The document in a file. Raises ValueError where it is no atlas, and OSError."""
    plain = parsed_json(path.read_text(encoding="utf-8"))
    found = (plain.get("schema"), plain.get("version")) if isinstance(plain, dict) else (plain, None)
    if found != (SCHEMA, SCHEMA_VERSION):
        raise ValueError(
            f"schema and version must be {SCHEMA!r} and {SCHEMA_VERSION}, got {found[0]!r:.60}, {found[1]!r:.60}"
        )
    return dict(plain)


def versions_of(packages: Sequence[str]) -> dict[str, str]:
    """The versions of gradlab, NumPy and those of the packages that are installed."""
    found = {"gradlab": version("gradlab-verify"), "numpy": np.__version__}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _encode_measurement(measured: Measurement) -> Plain:
    vanishing = measured.vanishing
    return {
        "dtype": measured.dtype,
        "label": "searched",
        **_encode_judged(measured.judged),
        "families": [
            {
                "family": one.name,
                "n_problems": one.n_problems,
                "parts": {part: _encode_part(one, part) for part in PARTS},
            }
            for one in measured.families
        ],
        "vanishes": {
            "margin": None if vanishing.margin is None else hex_of(vanishing.margin),
            "confirmed": vanishing.confirmed,
        },
    }


def _encode_part(errors: FamilyErrors, part: str) -> Plain:
    worst, place = errors.errors[part], errors.place_of(part)
    shown = worst.problem is not None and (place is None or worst.problem.logits.size <= SMALL)
    return {
        "ulp": json_number(worst.ulp),
        "seed": None if place is None else place[0],
        "index": None if place is None else place[1],
        "shape": None if worst.problem is None else list(worst.problem.logits.shape),
        "digest": None if worst.problem is None else worst.problem.digest,
        "problem": encoded_problem(worst.problem) if shown and worst.problem is not None else None,
    }


def _certified_errors(implementation: Implementation, certificates: Sequence[Certificate]) -> Iterator[Plain]:
    """What certificates say of a target, the larger error of both labels; current: its sources are what they were."""
    sources = dependencies_in(implementation.function).sources if certificates else {}
    for certificate in certificates:
        for outcome in certificate.outcomes:
            if outcome.description["target"] != implementation.target:
                continue
            worsts = {part: [outcome.tallies[Quantity(label, part)].worst for label in (0, 1)] for part in PARTS}
            yield {
                "label": "exhaustive",
                "dtype": "float32",
                "n_margins": certificate.n_done,
                "current": same_contents(outcome.description["sources"], sources),
                "parts": {part: _encode_worst(both) for part, both in worsts.items()},
            }


def _encode_worst(worsts: Sequence[Worst | None]) -> Plain | None:
    """The larger of the errors with label 0 and with label 1; None where one of them was not counted."""
    if any(worst is None for worst in worsts):
        return None
    label, worst = max(enumerate(one for one in worsts if one is not None), key=lambda pair: pair[1].ulp)
    margin = float(margins_of(range(worst.bits, worst.bits + 1))[0])
    return {"ulp": json_number(worst.ulp), "margin": hex_of(margin), "label": label}
