"""Every bound that a check divides by. Most checks ask for one of these three; the modules say how they are derived."""

from gradlab.bounds.first_order import loss as loss_bound
from gradlab.bounds.second_order import derivative as derivative_bound
from gradlab.bounds.second_order import flush_error as flushed_bound

__all__ = ["derivative_bound", "flushed_bound", "loss_bound"]
