"""Layers with one known defect each: features, weight, bias and labels to loss, dX, dW and db."""
