"""The exact answers of the layer, enclosed: sliced products, the softmax of enclosed logits, and balls."""
