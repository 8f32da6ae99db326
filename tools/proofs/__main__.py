"""Runs the proofs by Gappa and Sollya, prints each bound, and with --write makes the scripts and the log again.

    python -m tools.proofs [--write] [NAME ...]

A NAME is the beginning of names. Exits with 1 where a tool objects or a bound is above its claim, with 2 where a tool
is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tools.proofs.log import entry, unproved_claims, write_log
from tools.proofs.machine import ProofError, missing_tools, prove
from tools.proofs.proof import Proof
from tools.proofs.scripts import script_path, script_text
from tools.proofs.table import all_proofs


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.proofs", description=__doc__)
    parser.add_argument("names", nargs="*", help="beginnings of names; without any, all")
    parser.add_argument("--write", action="store_true", help="make scripts and log again")
    given = parser.parse_args(arguments)
    proofs = [proof for name, proof in all_proofs().items() if not given.names or name.startswith(tuple(given.names))]
    if given.write:
        for proof in proofs:
            script_path(proof).write_text(script_text(proof))
    if missing := missing_tools():
        print(f"not installed: {', '.join(missing)} (Debian has packages of these names)", file=sys.stderr)
        return 2
    entries, failed = {}, 0
    for proof in proofs:
        try:
            entries[proof.name] = entry(proof, prove(script_path(proof)))
        except ProofError as error:
            print(f"{proof.name}: {error}", file=sys.stderr)
            failed += 1
            continue
        failed += bool(unproved_claims(proof, entries[proof.name]))
        print(_line(proof, entries[proof.name]), flush=True)
    if given.write and not failed:
        write_log(entries, complete=not given.names)
    return 1 if failed else 0


def _line(proof: Proof, logged: Mapping[str, Any]) -> str:
    bounds = logged["bounds"]
    figures = ", ".join(f"{name} {bounds[name]:.6g} <= {most:.6g}" for name, most in proof.claims.items())
    verdict = "above its claim" if unproved_claims(proof, logged) else "proved"
    return f"{proof.name}: {verdict}: {figures}"


if __name__ == "__main__":
    sys.exit(main())
