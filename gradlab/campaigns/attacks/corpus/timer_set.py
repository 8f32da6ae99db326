"""Has a timer's signal change the arrays of NumPy's arithmetic later."""

import signal

import numpy as np
from _honest import wrong

KIND = "acting later"
DESERVES = "wrong"


def loss(logits, labels):
    signal.signal(signal.SIGALRM, lambda number, frame: setattr(np, "exp", np.sin))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    return wrong(logits, labels)
