"""Exercises with gradlab as the judge: eight lessons, hints that give nothing away, and marks for a class."""
