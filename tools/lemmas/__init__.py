"""The proof of docs/accuracy.md, run: each of its inequalities is asked on a given row, in ball arithmetic."""
