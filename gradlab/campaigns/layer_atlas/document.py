"""The atlas of layers as plain data: what was measured of each, and every finding with lines that show it again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gradlab.campaigns.atlas.atlas import Judged
from gradlab.campaigns.atlas.document import Missing, machine, versions_of
from gradlab.campaigns.conformance.document import encode_profile
from gradlab.campaigns.conformance.profile import Profile
from gradlab.campaigns.conformance.table import CASES
from gradlab.campaigns.layer_atlas.measurement import (
    HEAD,
    MARGINS,
    PROFILE,
    SEED,
    Finding,
    LayerMeasurement,
    measured_layer_families,
)
from gradlab.campaigns.layer_atlas.recipes import lines_for
from gradlab.cases.cases import encode_claims, json_number
from gradlab.evaluation.call import Implementation
from gradlab.harness.verdict import Verdict
from gradlab.layer.at_logits import layer_as_loss
from gradlab.layer.families import LAYER_FAMILIES
from gradlab.layer.problem import LayerProblem
from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Array
from gradlab.storage.encoding import Plain
from gradlab.storage.layer_encoding import encoded_layer_problem

SCHEMA, SCHEMA_VERSION = "gradlab-atlas-of-layers", 1
PACKAGES = (
    *("torch", "jax", "jaxlib", "jax-cce", "liger-kernel", "triton", "scikit-learn", "statsmodels", "mlxtend"),
    *("megatron-core", "numba"),
)
_LABEL = re.compile(r"label (-?\d+)")


def document(command: str, entries: Sequence[Plain], missing: Sequence[Missing]) -> Plain:
    """The whole atlas."""
    names = measured_layer_families()
    return {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "command": command,
        "profile": PROFILE,
        "seed": SEED,
        "margins": list(MARGINS),
        "head": list(HEAD),
        "machine": machine(),
        "versions": versions_of(PACKAGES),
        "families": {one.name: one.purpose for one in LAYER_FAMILIES if one.name in names},
        "missing": [{"target": one.target, "reason": one.reason} for one in missing],
        "targets": list(entries),
    }


def encode_measurements(implementation: Implementation, measured: Sequence[LayerMeasurement]) -> Plain:
    """What was measured of one target, dtype by dtype."""
    return {
        "target": implementation.target,
        "claims": encode_claims(implementation.claims),
        "charts": [
            {
                "dtype": one.dtype,
                **_encode_judged(one.judged),
                "families": {name: _encode_errors(errors) for name, errors in one.families.items()},
                "margins": {f"{margin:g}": _encode_errors(errors) for margin, errors in one.margins.items()},
                "findings": [_encode_finding(implementation.target, finding) for finding in one.findings],
            }
            for one in measured
        ],
    }


def encode_rules(
    implementation: Implementation, dtype: str, profile: Profile, judged: Judged, findings: Sequence[Finding]
) -> Plain:
    """What was seen of its behaviour in one dtype."""
    return {
        "rules": encode_profile(profile),
        **_encode_judged(judged),
        "findings": [
            *(_encode_finding(implementation.target, one) for one in findings),
            *_rule_findings(implementation, dtype, profile),
        ],
    }


def joined(entry: Plain, behaviour: Mapping[str, Plain]) -> Plain:
    """The entry with what was seen of its behaviour, by dtype: the lower of both verdicts, and all findings."""
    charts = []
    for chart in entry["charts"]:
        own = behaviour[chart["dtype"]]
        verdict = min(Verdict(one["verdict"]) for one in (chart, own))
        failed = [name for _, name in sorted([*chart["costs"], *own["costs"]])]
        findings = [*chart["findings"], *own["findings"]]
        both = {"verdict": str(verdict), "failed": failed, "findings": findings, "rules": own["rules"]}
        charts.append({**{name: one for name, one in chart.items() if name != "costs"}, **both})
    return {**entry, "charts": charts}


def _encode_judged(judged: Judged) -> Plain:
    return {"verdict": str(judged.verdict), "costs": [[list(cost), name] for cost, name in judged.costs]}


def _encode_errors(errors: Mapping[str, float]) -> Plain:
    return {name: json_number(error) for name, error in errors.items()}


def _encode_finding(target: str, finding: Finding) -> Plain:
    problem, sentence = finding.result.asked or finding.result.problem, finding.result.sentence()
    shown, labels = problem, None
    named = _LABEL.search(sentence)
    if finding.check.comes_last and named:
        shown, labels = _with_first_label(problem, int(named.group(1)))
    return {
        "what": finding.check.name,
        "verdict": str(finding.verdict),
        "sentence": sentence,
        "problem": encoded_layer_problem(problem),
        "lines": lines_for(target, shown, labels),
    }


def _with_first_label(problem: LayerProblem, label: int) -> tuple[LayerProblem, Array]:
    """The problem as that check asks it: features of 0 in the first row, and this label there."""
    features, labels = problem.features.copy(), problem.targets.copy()
    features[0], labels[0] = 0, label
    return problem.replace(features=features), labels


def _rule_findings(implementation: Implementation, dtype: str, profile: Profile) -> Iterator[Plain]:
    """The cases in which another rule than gradlab's is followed; the logits are the features, the weight is 1."""
    claims = layer_as_loss(implementation).claims
    for name, followed in profile.items():
        if followed.as_ruled:
            continue
        asked = CASES[name].asks(claims, format_of(dtype))
        problem = asked.problem
        own = problem.logits.dtype
        unit, zeros = np.eye(problem.n_classes, dtype=own), np.zeros(problem.n_classes, own)
        as_layer = LayerProblem(problem.logits, unit, zeros, problem.targets, problem.objective)
        yield {
            "what": name,
            "verdict": "",
            "sentence": f"{CASES[name].question}: {followed.name}: {followed.seen}",
            "problem": encoded_layer_problem(as_layer),
            "lines": lines_for(implementation.target, as_layer, asked.targets),
        }
