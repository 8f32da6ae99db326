"""The packages of a target are those of its adapter that are installed."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from gradlab.targets import packages
from gradlab.targets.packages import packages_of


@pytest.mark.parametrize(
    "target", ["shifted", "my.py:loss", "layer:my.py:loss", "pair:my.py:loss,gradient", "exec:./a"]
)
def test_a_target_without_a_framework_rests_on_none(target: str) -> None:
    assert packages_of(target) == {}


@pytest.mark.parametrize("target", ["torch:cross_entropy", "torch@cuda:1:cross_entropy", "layer:torch:my.py:layer"])
def test_a_target_rests_on_what_its_adapter_needs(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "needs_of", lambda module: {"numpy": "", "absent": ""})
    assert packages_of(target) == {"numpy": version("numpy")}
