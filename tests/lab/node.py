"""The scripts of the lab, run by Node.js; a test that needs it is skipped where it is not installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

SITE = Path(__file__).parents[2] / "gradlab" / "lab" / "site"
_HOST = """
const vm = require("node:vm");
const fs = require("node:fs");
const { scripts, program, data } = JSON.parse(fs.readFileSync(0, "utf8"));
for (const path of scripts) vm.runInThisContext(fs.readFileSync(path, "utf8"), { filename: path });
const answer = vm.runInThisContext(`(data) => { ${program} }`)(data);
process.stdout.write(JSON.stringify(answer));
"""


def run(scripts: Sequence[str], program: str, data: Any) -> Any:
    """What a program, the body of a function of `data`, returns after the scripts of the lab are loaded; by JSON."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("the lab's arithmetic is tried by node, which is not installed")
    asked = json.dumps({"scripts": [str(SITE / name) for name in scripts], "program": program, "data": data})
    done = subprocess.run([node, "-e", _HOST], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
