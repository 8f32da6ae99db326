"""The oracle: certified enclosures of loss and gradient, and errors in units in the last place counted against them."""
