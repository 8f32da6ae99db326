"""The implementations of the commit: time, memory and accuracy."""

from gradlab.asv import suites

NAMES = ("accurate", "complement", "log_space", "loop", "online", "shifted", "textbook", "widened")

Speed, Memory, Accuracy = suites(*NAMES)
