"""Says that its gradient is an array of 2^40 entries, all in the same eight bytes."""

import sys

from _honest import wrong

KIND = "forged frames"
DESERVES = "wrong"

there = sys.modules.get("gradlab.judged.arrays_there")
if there is not None:
    written = there.ArraysThere.write

    def write(self, array):
        """Where the array is, of another shape."""
        said = written(self, array)
        said[1] = {**said[1], "shape": [1 << 40], "strides": [0], "offset": 0}
        return said

    there.ArraysThere.write = write


def loss(logits, labels):
    return wrong(logits, labels)
