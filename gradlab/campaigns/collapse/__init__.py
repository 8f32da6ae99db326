"""What an inaccurate gradient does to training: one network, trained with each of several gradients, all else equal."""

from pathlib import Path

KEPT = Path(".gradlab") / "collapse"  # where a training is kept as it goes on, unless another folder is given
