"""Asks the frameworks that are installed which rules they follow, and writes docs/conformance.md.

Each is asked for all that its function takes, whether its adapter claims it or not: nothing is judged here. A framework
that is not installed is left out, and that is said.

    python tools/conformance.py [--to docs/conformance.md]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gradlab.campaigns.conformance.document import encode_cases, encode_profile
from gradlab.campaigns.conformance.page import case_lines, rule_lines
from gradlab.campaigns.conformance.profile import profile_of
from gradlab.storage.files import write_whole
from gradlab.targets.importing import MissingError
from gradlab.targets.load import load

COMMAND = "python tools/conformance.py"
DTYPES = ("float32", "float64")
PROBABILITIES = {"masks": True, "normalised_targets": False}
EVERYTHING = {
    "options": ["label_smoothing", "class_weights", "ignore_index"],
    "targets": ["index", "probability"],
}
TARGETS: Mapping[str, Mapping[str, Any]] = {
    "torch:cross_entropy": EVERYTHING,
    "jax:optax.softmax_cross_entropy_with_integer_labels": {},
    "jax:optax.softmax_cross_entropy": PROBABILITIES,
    "jax:optax.safe_softmax_cross_entropy": PROBABILITIES,
    "jax:log_softmax": {},
    "tensorflow:sparse_softmax_cross_entropy_with_logits": {},
    "tensorflow:softmax_cross_entropy_with_logits": PROBABILITIES,
    "tensorflow:keras.SparseCategoricalCrossentropy": {},
    "mlx:cross_entropy": {},
    "sklearn:HalfMultinomialLoss": {},
    "scipy:log_softmax": {},
    "scipy:logsumexp": {},
    "autograd:logsumexp": {},
    "every_option": {},
}
PACKAGES = ("numpy", "torch", "jax", "optax", "tensorflow", "keras", "mlx", "scikit-learn", "scipy", "autograd")

OPENING = """\
Softmax cross-entropies agree on the formula, but not on its edges. `gradlab conform TARGET` asks an implementation
about each of the cases below, and names the rule that its answer follows. It gives no verdict, and the exit status is
0.

    $ gradlab conform mypackage.losses:my_loss
    $ gradlab conform torch:cross_entropy --option ignore_index --option label_smoothing --json profile.json

For each rule, the oracle computes what an implementation that follows it would answer. An answer fits if it is within
the forward error of `gradlab/bounds/first_order.py`.

- *not claimed*: the case needs an option, probabilities, masks or a mean that the implementation does not claim;
  `--option`, `--targets` and `--reduction` claim it.
- *another rule*: no known rule fits, perhaps because too many digits are lost. What came back is shown.
- Two names joined by "or": in this dtype both rules give the same answer.

`gradlab/campaigns/conformance/schema.json` describes the JSON."""


def page() -> Iterator[str]:
    """The page, line by line."""
    cases = encode_cases()
    found, missing = _measure()
    yield f"<!-- Written by `{COMMAND}`; not to be edited. -->"
    yield ""
    yield "# Conformance: which rule is followed where implementations disagree"
    yield ""
    yield OPENING
    yield ""
    yield f"## As measured, {DTYPES[0]}"
    yield ""
    yield f"{', '.join(_versions())}; each is asked about everything that it takes."
    yield "**Bold**: not gradlab's own rule. -: the implementation has no such option or kind of targets."
    yield ""
    yield from case_lines(cases, {target: profiles[DTYPES[0]] for target, profiles in found.items()})
    yield ""
    yield from _differences(found)
    yield from (f"\nLeft out: {reason}." for reason in missing)
    yield ""
    yield "## The cases and their rules"
    yield ""
    yield "Bold: the rules of gradlab's own objective and domain. In brackets: who follows a rule."
    yield ""
    yield from rule_lines(cases)


def _measure() -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The encoded profiles of each target, by dtype; and why others are missing."""
    found: dict[str, dict[str, Any]] = {}
    missing = []
    for target, claims in TARGETS.items():
        try:
            (implementation,) = load(target, claims)
        except MissingError as error:
            missing.append(str(error))
            continue
        found[target] = {dtype: encode_profile(profile_of(implementation, dtype)) for dtype in DTYPES}
    return found, missing


def _differences(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What is followed in the second dtype where that is not the same as in the first, case by case for each rule."""
    first, second = DTYPES
    lines: dict[tuple[str, str], list[str]] = {}
    for target, profiles in found.items():
        for case, one in profiles[second].items():
            if one["rules"] != profiles[first][case]["rules"]:
                rule = " or ".join(one["rules"]) or "another rule, or too far from any"
                lines.setdefault((target, rule), []).append(case)
    yield f"In {second} all is the same." if not lines else f"In {second} all is the same, but for:"
    yield from ([""] if lines else [])
    yield from (f"- `{target}`: {rule} in {', '.join(cases)}" for (target, rule), cases in lines.items())


def _versions() -> Iterator[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            continue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("docs/conformance.md"))
    write_whole(parser.parse_args().to, "\n".join(page()) + "\n")


if __name__ == "__main__":
    main()
