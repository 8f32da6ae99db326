"""What is described is tested here, and not how fast the machine is: the limits on time are far away."""

from __future__ import annotations

import pytest

from gradlab.localisation import work


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MAX_SECONDS", 600.0)
    monkeypatch.setattr(work, "MAX_WAITING", 3600.0)
