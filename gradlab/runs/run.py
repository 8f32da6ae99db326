"""A run over targets, here or in processes of their own, as its options say."""

from __future__ import annotations

from collections.abc import Sequence

from gradlab.runs.here import run_here
from gradlab.runs.isolated import run_in_workers
from gradlab.runs.options import Listener, Options, Summary


def run_targets(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """What the targets come to. Raises TargetError, OutputError, and WorkerError for an error of gradlab's own."""
    if options.is_judged:
        from gradlab.runs.judged import run_judged  # asyncio, which takes as long to load as a hundredth of a run

        return run_judged(targets, options, listener)
    run = run_here if options.limits is None else run_in_workers
    return run(targets, options, listener)
