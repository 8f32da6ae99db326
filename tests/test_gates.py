"""docs/gates.md: the gates of others accept sound code, refuse plain nonsense, and let through what the page says."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.attacks.attack import attacks
from gradlab.targets.load import load
from gradlab.targets.shipped import specimens
from tools.gates import CALLED, GATES, PAGE, Gate, accepts, attack

SMALL = [gate for gate in GATES if max(rows * classes for rows, classes in gate.shapes) < 1 << 17]
TEXT = PAGE.read_text(encoding="utf-8")


def reference(logits: Any, labels: Any) -> Any:
    """The accurate implementation's answer."""
    return load("accurate", {})[0].function(logits, labels)


def zeros(logits: Any, labels: Any) -> Any:
    """Nothing."""
    return np.float32(0), np.zeros_like(logits)


@pytest.mark.parametrize("gate", SMALL, ids=lambda gate: gate.name)
def test_a_gate_accepts_sound_code_and_refuses_zeros(gate: Gate) -> None:
    assert accepts(gate, load("shifted", {})[0].function, reference)
    assert not accepts(gate, zeros, reference)


@pytest.mark.parametrize("gate", SMALL, ids=lambda gate: gate.name)
def test_a_gate_lets_through_what_the_page_says(gate: Gate) -> None:
    (said,) = re.findall(rf"^- \*\*{re.escape(gate.name)}\*\*: (`.*)\.$", TEXT, re.MULTILINE)
    named = re.findall(r"`(\w+)`", said)
    for name in named[:3]:
        assert accepts(gate, specimens()[name].function, reference)
    for name in set(CALLED) & set(named):
        assert accepts(gate, attack(name), reference)
    for name in set(CALLED) - set(named):
        assert not accepts(gate, attack(name), reference)


def test_each_gate_has_its_row_and_its_source() -> None:
    for gate in GATES:
        assert re.search(rf"^\| {re.escape(gate.name)} \| {gate.atol:g} \| {gate.rtol:g} \|", TEXT, re.MULTILINE)
        assert f"- **{gate.name}**: {gate.source}." in TEXT


def test_the_attacks_that_are_called_are_attacks() -> None:
    assert set(CALLED) <= set(attacks())
