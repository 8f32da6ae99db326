"""Where a layer is wrong, and which of its outputs come out as what: found by experiment."""
