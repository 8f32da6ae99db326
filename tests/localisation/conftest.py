"""What is described is tested here, and not how fast the machine is: the limits on time are far away."""

from __future__ import annotations

import pytest

from gradlab.localisation import trial


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MAX_SECONDS", 120.0)
    monkeypatch.setattr(trial, "MAX_WAITING", 600.0)
