"""The layers of the commit: time, memory and accuracy of each output."""

from gradlab.integrations.asv_layers import layer_suites

NAMES = ("layer", "layer_accurate", "layer_chunked", "layer_fused", "layer_loop")

Speed, Memory, Accuracy = layer_suites(*(f"layer:{name}" for name in NAMES))
