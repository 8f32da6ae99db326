"""One verdict for machines: what a benchmark, a bounty or a reward asks of code that it does not trust."""
