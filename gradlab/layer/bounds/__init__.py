"""The tolerances of the layer: proved ones, for any order of summation, and probable ones."""
