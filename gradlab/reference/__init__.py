"""Code generated from the definitions in gradlab.symbolic; nothing here but this sentence is written by hand."""
