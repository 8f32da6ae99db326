"""What is described is tested here, and not how fast the machine is: the limits on time are far away."""

from __future__ import annotations

import pytest

from gradlab.localisation import trial
from gradlab.localisation.layer import trial as trial_of_layers


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (trial, trial_of_layers):
        monkeypatch.setattr(module, "MAX_SECONDS", 120.0)
        monkeypatch.setattr(module, "MAX_WAITING", 600.0)
