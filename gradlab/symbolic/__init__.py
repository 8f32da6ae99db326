"""The definition of the loss in SymPy, the proofs of what follows from it, and the code that is generated from it."""
