"""Conformance: which rule an implementation follows where implementations disagree; recognised, not judged."""
