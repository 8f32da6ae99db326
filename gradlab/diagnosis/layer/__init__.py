"""What explains the failures of a layer."""
