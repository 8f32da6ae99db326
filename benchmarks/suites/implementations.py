"""The implementations of the commit: time, memory and accuracy."""

from gradlab.integrations.asv import suites

NAMES = (
    "accurate",
    "blocked",
    "complement",
    "fused",
    "fused_accurate",
    "log_space",
    "loop",
    "online",
    "shifted",
    "textbook",
    "widened",
)

Speed, Memory, Accuracy = suites(*NAMES)
