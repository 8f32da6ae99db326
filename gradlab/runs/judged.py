"""Targets that run in processes of their own, judged from this one, in which none of their code runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gradlab.isolation.limits import Limits
from gradlab.judged.process import Place
from gradlab.judged.reach import out_of_reach
from gradlab.judged.remotes import Given, Hooks, loaded_of
from gradlab.runs.here import run_loaded
from gradlab.runs.options import Listener, Options, Summary, files_not_loaded, not_run
from gradlab.targets.importing import TargetError

if TYPE_CHECKING:
    from gradlab.evaluation.call import Implementation
    from gradlab.report.json import NotChecked


def run_judged(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """What the targets come to, one after the other. Raises TargetError in a strict run where one does not load."""
    found: list[Implementation] = []
    faults: list[NotChecked] = []
    unloaded: list[str] = []
    given, hooks = given_by(options), Hooks(meanwhile=load_what_runs)
    with out_of_reach(), ExitStack() as stack:
        for target in dict.fromkeys(targets):
            try:
                for remote, some in loaded_of(target, given, unloaded, hooks):
                    stack.callback(remote.close)
                    found += some
            except TargetError as error:
                faults.append(not_run(target, str(error)))
        return run_loaded(found, [*faults, *files_not_loaded(unloaded)], options, listener)


def given_by(options: Options) -> Given:
    """What options say of all targets."""
    place = Place(str(options.here), options.limits or Limits(), options.forbidden)
    return Given(place, options.claims, options.dtypes)


def load_what_runs() -> None:
    """Loads what a run imports late: while the other process begins, this one has nothing else to do."""
    import gradlab.harness.power
    import gradlab.harness.run
    import gradlab.harness.scopes
    import gradlab.report.report  # noqa: F401
