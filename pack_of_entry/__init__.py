def loss(logits, labels):
    return 0.0, logits
