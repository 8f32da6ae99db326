"""Figures of the layer's tolerances: how far sound code stays below them, and how small an error they notice."""
