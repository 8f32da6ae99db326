"""Loading a trainer: what `trainer:path/file.py:function` and `trainer:package.module:function` stand for.

A class with `fit(X, y)` is a trainer too, and `trainer:torch:...` is a function of tensors.
"""

from __future__ import annotations

import importlib
from dataclasses import replace

from gradlab.evaluation.foreign import describe_error
from gradlab.targets.callables import callable_at
from gradlab.targets.importing import TargetError, require
from gradlab.targets.prefixes import TRAINER
from gradlab.targets.shipped import needs_of
from gradlab.trainer.call import Trainer, trainer_of
from gradlab.trainer.fitting import is_fitting_class, with_fit_called
from gradlab.trainer.names import UnclearTrainerError

TORCH = "torch:"
_TORCH_ADAPTER = "gradlab.adapters.torch_trainer"


def load_trainer(target: str, takes: tuple[str, ...] = ()) -> Trainer:
    """The trainer; the prefix may be left out. takes: what its parameters take, in its own order.

    Raises TargetError, in one line, where it does not exist or import, and where it is not clear what it takes.
    """
    place = target.removeprefix(TRAINER)
    has_tensors = place.startswith(TORCH)
    place = place.removeprefix(TORCH)
    try:
        found = callable_at(place, target)
    except (TargetError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise TargetError(f"{target} cannot be loaded: {describe_error(error)}") from None
    if found is None:
        raise TargetError(f"{target} must be {TRAINER}file.py:function or {TRAINER}module:function")
    function = with_fit_called(found.function) if is_fitting_class(found.function) else found.function
    if has_tensors:
        adapter = importlib.import_module(_TORCH_ADAPTER)
        require(target, needs_of(adapter))
        function = adapter.on_tensors(function)
    try:
        trainer = trainer_of(found.name, function, takes, target)
    except UnclearTrainerError as error:
        raise TargetError(f"{target}: {error}") from error
    return replace(trainer, makers=adapter.generators()) if has_tensors else trainer
