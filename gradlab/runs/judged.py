"""Targets that run in processes of their own, judged from this one, in which none of their code runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from gradlab.isolation.limits import Limits
from gradlab.judged.confinement import unreadable
from gradlab.judged.process import Place
from gradlab.judged.remote import Remote, Wanted
from gradlab.runs.here import run_loaded
from gradlab.runs.options import Listener, Options, Summary, files_not_loaded, not_run
from gradlab.storage.cache import only_what_is_there_trusted
from gradlab.targets.folders import files_that_may_offer, offers_nothing
from gradlab.targets.importing import TargetError
from gradlab.targets.load import folder_of

if TYPE_CHECKING:
    from gradlab.evaluation.call import Implementation
    from gradlab.report.json import NotChecked


@contextmanager
def out_of_reach() -> Iterator[None]:
    """A context in which the code that is judged can neither read this process nor put answers where it keeps them."""
    with unreadable(), only_what_is_there_trusted():
        yield


def run_judged(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """What the targets come to, one after the other. Raises TargetError in a strict run where one does not load."""
    found: list[Implementation] = []
    faults: list[NotChecked] = []
    unloaded: list[str] = []
    with out_of_reach(), ExitStack() as stack:
        for target in dict.fromkeys(targets):
            try:
                for remote in _remotes(target, options, unloaded):
                    found += _loaded(stack.enter_context(closing(remote)), folder_of(target) is not None, unloaded)
            except TargetError as error:
                faults.append(not_run(target, str(error)))
        return run_loaded(found, [*faults, *files_not_loaded(unloaded)], options, listener)


def _remotes(target: str, options: Options, unloaded: list[str]) -> Iterator[Remote]:
    """A target, or each file of a folder that may offer something; unloaded: why files cannot be read."""
    folder, place = folder_of(target), Place(str(options.here), options.limits or Limits(), options.forbidden)
    if folder is None:
        yield Remote(Wanted(target, options.claims, options.dtypes), place)
        return
    paths = list(files_that_may_offer(folder, unloaded))
    if not (paths or unloaded):
        raise TargetError(offers_nothing(folder))
    for path in paths:
        yield Remote(Wanted(str(path), options.claims, options.dtypes, is_of_folder=True), place)


def _loaded(remote: Remote, is_of_folder: bool, unloaded: list[str]) -> list[Implementation]:
    """What it stands for; unloaded: why a file of a folder does not load. Raises TargetError for any other target."""
    try:
        found = remote.load()
    except TargetError as error:
        if not is_of_folder:
            raise
        unloaded.append(str(error))
        return []
    if is_of_folder:
        remote.close()  # until it is called: a folder may have many files
    return found
