"""Gradient descent on a layer: exact descent enclosed, and what a trainer makes of it."""
