"""An attack put to `gradlab check`, in a folder of its own: what comes of it, and what it leaves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gradlab.campaigns.attacks.attack import FOLDER, HELPERS, Attack
from gradlab.harness.verdict import Verdict
from gradlab.isolation.orphans import children, orphans_adopted

SEED = "7"  # any that no attack knows
USUAL = ("--profile", "smoke")
SECONDS = 300.0
NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Trial:
    """What came of an attack.

    verdict: as `gradlab check` writes it to its report; "not checked" where it does not load, "" without a report.
    met: whether its level is met. status: of the command, None where that had to be ended. printed: by the command.
    left: processes and files that are there afterwards.
    """

    attack: Attack
    verdict: str
    met: bool
    status: int | None
    printed: str
    left: tuple[str, ...]

    @property
    def is_better_than_deserved(self) -> bool:
        """Whether it was judged too well."""
        if self.met and Verdict(self.verdict) > Verdict(self.attack.deserves):
            return True
        return self.verdict in list(Verdict) and Verdict(self.verdict) > Verdict(self.attack.deserves)


def try_attack(attack: Attack) -> Trial:
    """What `gradlab check` says of an attack, in float32."""
    with tempfile.TemporaryDirectory(prefix="trial-") as folder, orphans_adopted():
        place = Path(folder)
        for name in ("work", "temporary"):
            (place / name).mkdir()
        for path in (attack.path, *FOLDER.glob(HELPERS)):
            shutil.copy(path, place / "work")
        before, segments = children(), _segments()
        status, printed = _checked(attack, place)
        left = [f"process {one}" for one in children() - before]
        left += [f"temporary file {one.name}" for one in (place / "temporary").iterdir()]
        left += [f"segment {one}" for one in _segments() - segments if "attack" in one]
        report = place / "work" / "report.json"
        told = json.loads(report.read_text(encoding="utf-8")) if report.exists() else None
    found = told["implementations"] if told else []
    verdict = found[0]["verdict"] if found else NOT_CHECKED if told else ""
    return Trial(attack, verdict, bool(found and found[0]["met"]), status, printed, tuple(left))


def _checked(attack: Attack, place: Path) -> tuple[int | None, str]:
    """The exit status and what was printed."""
    profile = () if "--profile" in attack.options else USUAL
    seed = () if "--seed" in attack.options else ("--seed", SEED)
    command = [sys.executable, "-m", "gradlab", "check", f"{attack.name}.py:loss", "--dtype", "float32"]
    with subprocess.Popen(
        [*command, *profile, *seed, *attack.options, "--json", "report.json"],
        cwd=place / "work",
        env={**os.environ, "TMPDIR": str(place / "temporary"), "PYTHONSAFEPATH": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=SECONDS)
            return process.returncode, said.decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            return None, process.communicate()[0].decode(errors="replace")


def _segments() -> set[str]:
    shared = Path("/dev/shm")
    return {one.name for one in shared.iterdir()} if shared.is_dir() else set()
