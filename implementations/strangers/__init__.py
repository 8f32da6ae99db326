"""Sound implementations in unusual styles: each computes the mean loss and its gradient, and no check may reject one.

They are written as strangers write: no checks of the arguments, no care for warnings, whatever shape suits.
"""
