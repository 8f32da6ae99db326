"""The end of a process whose device does not compute any more: a finding on the call, and the next one is made anew."""

from __future__ import annotations

import os
import sys

from gradlab.evaluation.foreign import describe_error
from gradlab.isolation.janitor import MARK
from gradlab.isolation.limits import DEVICE_LOST


def end_with_device(device: str, error: Exception) -> None:
    """Ends this process after an error of a device, if it is one that gradlab has started to run code under test.

    Elsewhere nothing happens: the error is the call's, and so are those of all calls that follow.
    """
    if MARK in os.environ:
        sys.__stderr__.write(f"{device}: {describe_error(error)}\n")  # type: ignore[union-attr]  # open in such a process
        sys.__stderr__.flush()  # type: ignore[union-attr]  # as above
        os._exit(DEVICE_LOST)
