"""A run over targets, here or in processes of their own, as its options say."""

from __future__ import annotations

from collections.abc import Sequence

from gradlab.runs.here import run_here
from gradlab.runs.options import Listener, Options, Summary
from gradlab.targets.load import folder_of


def run_targets(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """What the targets come to. Raises TargetError, OutputError, and WorkerError for an error of gradlab's own."""
    return run_here(targets, options, listener) if options.limits is None else _judge(targets, options, listener)


def _judge(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """A single target from this process; several side by side, each from a process of its own."""
    # late: asyncio takes as long to load as a hundredth of a run
    if options.jobs > 1 and (len(set(targets)) > 1 or any(folder_of(target) is not None for target in targets)):
        from gradlab.runs.judges import run_by_judges

        return run_by_judges(targets, options, listener)
    from gradlab.runs.judged import run_judged

    return run_judged(targets, options, listener)
