"""The checks of the layer, and their table."""
