"""The lab: a site of eight pages on numerical stability, for learning; it needs no network, and opens from disk."""
