"""Writes what the lab's site holds of derivations, specimens and stored trainings."""
