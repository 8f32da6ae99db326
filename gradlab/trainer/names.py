"""What the parameters of a trainer are called: the names in use, and what each stands for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradlab.layer.names import parameter_roles

NEEDED = ("X", "targets", "learning_rate", "n_steps")
ROLES = (*NEEDED, "n_epochs", "W", "b", "n_classes", "l2", "batch_size", "seed")

_NAMES = {
    "learning_rate": "lr eta learning_rate step_size stepsize rate alpha gamma learn_rate step eta0",
    "n_steps": """steps n_steps num_steps iters n_iters num_iters iterations n_iter num_iterations max_iter n_iterations
        t nsteps niter num_updates updates""",
    "n_epochs": "epochs n_epochs num_epochs max_epochs nb_epochs",
    "W": "w0 w_0 w_init init_w weights0 weight0 initial_weights theta0 theta_init initial_w w_start start_w",
    "b": "b0 b_0 b_init init_b bias0 initial_bias initial_b b_start start_b",
    "batch_size": "batch_size batch bs minibatch minibatch_size batchsize mb_size",
    "seed": "seed random_state rng_seed random_seed",
}
_OF_LAYER = ("X", "W", "b", "targets", "l2", "n_classes")
OPTIONAL_ROLES = ("n_classes", "l2", "batch_size", "seed", "W", "b")  # that are passed where there is a default


class UnclearTrainerError(ValueError):
    """What a trainer takes is not clear: what was recognised, and how to claim it."""


def trainer_roles(name: str) -> tuple[str, ...]:
    """What a parameter of this name may take, the likeliest first; () where the name says nothing.

    >>> trainer_roles("lr"), trainer_roles("W0"), trainer_roles("y_train"), trainer_roles("verbose")
    (('learning_rate',), ('W',), ('targets',), ())
    """
    plain = name.lower().strip("_")
    own = tuple(role for role, listed in _NAMES.items() if plain in listed.split())
    return own + tuple(role for role in parameter_roles(name) if role in _OF_LAYER and role not in own)


def taken_by(function: Callable[..., Any], claimed: Sequence[str] = ()) -> Mapping[str, str]:
    """What each parameter takes, by its name, in the function's own order.

    claimed: what the first parameters take, in their order. Raises UnclearTrainerError where a parameter without a
    default is not known, or where something is missing that a training needs.
    """
    try:
        signature = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise UnclearTrainerError(f"its signature is not known; {_HOW}") from error
    parameters = [one for one in signature if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    wrong = [role for role in claimed if role not in ROLES]
    if wrong or len(claimed) > len(parameters):
        raise UnclearTrainerError(f"what it takes must be some of {', '.join(ROLES)}, got {', '.join(claimed)}")
    found = {one.name: role for one, role in zip(parameters, claimed, strict=False)}
    for one in parameters[len(claimed) :]:
        free = [role for role in trainer_roles(one.name) if role not in found.values()]
        if one.default is not one.empty:
            free = [role for role in free if role in (*OPTIONAL_ROLES, "learning_rate", "n_steps", "n_epochs")]
        if free:
            found[one.name] = free[0]
        elif one.default is one.empty:
            raise UnclearTrainerError(f"{one.name} is not known{_shown(found)}; {_HOW}")
    missing = [role for role in NEEDED if role not in found.values()]
    if "n_epochs" in found.values() and "n_steps" in missing:
        missing.remove("n_steps")
    if missing:
        raise UnclearTrainerError(f"nothing takes {' and nothing '.join(missing)}{_shown(found)}; {_HOW}")
    return found


_HOW = "claim it: --takes X,targets,W,b,learning_rate,n_steps, in its own order"


def _shown(found: Mapping[str, str]) -> str:
    return ", with " + ", ".join(f"{name} as {role}" for name, role in found.items()) if found else ""
