"""The layer: a linear map, softmax and cross-entropy; its problems, the exact answers and the tolerances."""
