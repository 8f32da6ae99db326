"""Code that is known to be wrong, each with its defect, an input that shows it, and what gradlab says about it.

Beside each function: `CLAIMS`, as for every implementation, and `EXPECTED`, the verdict that gradlab must reach and
the checks that must fail.
"""
