"""The atlas of layers: what layers of frameworks and libraries come to, output by output and margin by margin."""
