"""proofs/log.json: what each script proved when it was last run, by which versions, and the digest of what was run."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from tools.proofs.machine import TOOLS, version
from tools.proofs.proof import Proof
from tools.proofs.scripts import FOLDER, script_text
from tools.proofs.sources import function_text
from tools.proofs.steps import STEPS

PATH = FOLDER / "log.json"


def entry(proof: Proof, bounds: Mapping[str, Fraction]) -> dict[str, Any]:
    """What the log holds of one proof; a bound is the float64 next above what was proved."""
    return {
        "step": proof.step,
        "tool": proof.tool,
        "statement": proof.statement,
        "where": proof.where,
        "bounds": {name: _above(bounds[name]) for name in sorted(bounds)},
        "claims": dict(sorted(proof.claims.items())),
        "digest": digest(proof),
    }


def digest(proof: Proof) -> str:
    """SHA-256 of the script, which holds its constants, and of the code that it describes."""
    code = [function_text(path, name) for path, name in proof.code]
    return hashlib.sha256("\n".join([script_text(proof), *code]).encode()).hexdigest()


def unproved_claims(proof: Proof, logged: Mapping[str, Any]) -> list[str]:
    """The claims of the proof that the bounds of the entry do not prove."""
    bounds = logged["bounds"]
    return [name for name, most in proof.claims.items() if not (name in bounds and bounds[name] <= most)]


def write_log(entries: Mapping[str, Any], complete: bool) -> None:
    """Writes the log; entries of proofs that were not run stay, unless the entries are complete."""
    before = {} if complete or not PATH.exists() else read_log()["proofs"]
    log = {
        "tools": {tool: version(tool) for tool in TOOLS},
        "steps": {name: asdict(step) for name, step in STEPS.items()},
        "proofs": dict(sorted({**before, **entries}.items())),
    }
    PATH.write_text(json.dumps(log, indent=1) + "\n")


def read_log() -> dict[str, Any]:
    """The log as it is stored."""
    log: dict[str, Any] = json.loads(PATH.read_text())
    return log


def _above(value: Fraction) -> float:
    nearest = float(value)
    return nearest if nearest >= value else math.nextafter(nearest, math.inf)
