"""Softmax cross-entropy written in many ways: plain functions `(logits, labels) -> (loss, gradient)`.

One file, one idea. Nothing here imports gradlab; what a function claims is the plain dictionary `CLAIMS` beside it.
"""
