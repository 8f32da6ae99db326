"""The small runs that tests/report/ has too."""

from __future__ import annotations

from tests.report.conftest import reports

__all__ = ["reports"]
