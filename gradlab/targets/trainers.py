"""Loading a trainer: what `trainer:path/file.py:function` and `trainer:package.module:function` stand for."""

from __future__ import annotations

from gradlab.evaluation.foreign import describe_error
from gradlab.targets.callables import callable_at
from gradlab.targets.importing import TargetError
from gradlab.trainer.call import Trainer, trainer_of
from gradlab.trainer.names import UnclearTrainerError

TRAINER = "trainer:"


def load_trainer(target: str, takes: tuple[str, ...] = ()) -> Trainer:
    """The trainer; the prefix may be left out. takes: what its parameters take, in its own order.

    Raises TargetError, in one line, where it does not exist or import, and where it is not clear what it takes.
    """
    place = target.removeprefix(TRAINER)
    try:
        found = callable_at(place, target)
    except (TargetError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise TargetError(f"{target} cannot be loaded: {describe_error(error)}") from None
    if found is None:
        raise TargetError(f"{target} must be {TRAINER}file.py:function or {TRAINER}module:function")
    try:
        return trainer_of(found.name, found.function, takes, target)
    except UnclearTrainerError as error:
        raise TargetError(f"{target}: {error}") from error
