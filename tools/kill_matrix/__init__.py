"""Which check rejects which known defect: computed, and written to docs/kill-matrix.md and docs/kill-matrix.svg."""
