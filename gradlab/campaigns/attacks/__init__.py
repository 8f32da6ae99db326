"""Implementations that are wrong and try to be judged better than they deserve, and what `gradlab check` makes of them.

Each is a file of the folder `corpus` that is read here, and never imported: a docstring that says what it tries, its
KIND, the verdict that it DESERVES, and OPTIONS where `gradlab check` needs others than usual to see it.
"""
