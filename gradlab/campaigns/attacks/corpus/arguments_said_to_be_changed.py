"""Says that the judge's own arguments have changed, and answers the simpler problem that they have become."""

import sys

from _honest import wrong

KIND = "forged frames"
DESERVES = "wrong"

there = sys.modules.get("gradlab.judged.arrays_there")
if there is not None:

    def changes(self):
        """All arguments have become zeros."""
        zeros = [[place, self._answered.put(given.block * 0)] for place, given in enumerate(self._arguments)]
        return zeros, []

    there.ArraysThere.changes = changes


def loss(logits, labels):
    value = wrong(logits, labels)
    return value[0] * 0, value[1] * 0
