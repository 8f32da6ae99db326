"""What the parameters of a trainer are called: the names in use, and what each stands for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradlab.layer.names import parameter_roles

NEEDED = ("X", "targets", "learning_rate", "n_steps")
OF_SOLVERS = ("C", "l2", "tol")  # one of which is taken by what looks for the optimum, without a learning rate
MORE = ("n_epochs", "W", "b", "n_classes", "n_features", "l2", "C", "tol", "batch_size", "order", "shuffle", "seed")
SILENT = ("rng", "callback", "verbose", "every")  # what an order is drawn from, and what tells of the training
ROLES = (*NEEDED, *MORE, *SILENT)

_NAMES = {
    "learning_rate": """lr eta η learning_rate step_size stepsize rate alpha gamma learn_rate learningrate step eta0
        lr0 lrate l_rate learning_rate_init""",
    "n_steps": """steps n_steps num_steps iters n_iters num_iters iterations n_iter num_iterations max_iter n_iterations
        t nsteps niter num_updates updates max_iters maxiter max_iterations max_steps n_step num_step num_iter nb_iter
        nb_iters nb_steps numsteps numiters total_steps""",
    "n_epochs": """epochs n_epochs num_epochs max_epochs nb_epochs nepochs epoch n_epoch num_epoch max_epoch nb_epoch
        numepochs passes n_passes num_passes""",
    "W": """w0 w_0 w_init init_w weights0 weight0 initial_weights theta0 theta_init initial_w w_start start_w θ θ0 init
        x0 start initial_params init_params params0 model net network module""",
    "b": "b0 b_0 b_init init_b bias0 initial_bias initial_b b_start start_b",
    "batch_size": "batch_size batch bs bsz minibatch minibatch_size mini_batch_size batchsize mb_size batch_sz",
    "l2": "λ",
    "seed": "seed random_state rng_seed random_seed",
    "n_classes": "output_dim output_dims out_features n_out output_size n_outputs num_outputs out_dim outputs",
    "order": "order orders perm perms permutation permutations row_order indices idx",
    "shuffle": "shuffle shuffled do_shuffle",
    "tol": "tol tolerance gtol min_delta early_stop_tol",
    "rng": "rng rgen generator random_generator prng",
    "callback": "callback callback_fn on_step hook logger log_fn",
    "verbose": "verbose print_cost print_loss print_losses plot display debug",
    "every": "print_every log_every log_interval print_interval print_freq report_every",
}
_OF_LAYER = ("X", "W", "b", "targets", "l2", "n_classes", "n_features")
_NUMBERS = ("n_classes", "n_features", "l2", "C", "tol", "batch_size", "seed", "learning_rate", "n_steps", "n_epochs")
_ARRAYS = ("W", "b", "order")
_NO_ROLE = ("class_weight", "class_weights", "sample_weight", "sample_weights")


class UnclearTrainerError(ValueError):
    """What a trainer takes is not clear: what was recognised, and how to claim it."""


def trainer_roles(name: str) -> tuple[str, ...]:
    """What a parameter of this name may take, the likeliest first; () where the name says nothing.

    >>> trainer_roles("lr"), trainer_roles("W0"), trainer_roles("y_train"), trainer_roles("verbose")
    (('learning_rate',), ('W',), ('targets',), ())
    """
    plain = name.lower().strip("_")
    if plain in _NO_ROLE:
        return ()
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
    left = parameters[len(claimed) :]
    found |= _assigned({one.name: _roles_of(one) for one in left}, found)
    unknown = [one.name for one in left if one.name not in found and one.default is one.empty]
    if unknown:
        raise UnclearTrainerError(f"{unknown[0]} is not known{_shown(found)}; {_HOW}")
    missing = [role for role in NEEDED if role not in found.values()]
    if "n_epochs" in found.values() and "n_steps" in missing:
        missing.remove("n_steps")
    if "learning_rate" in missing and not set(OF_SOLVERS).isdisjoint(found.values()):
        missing = [role for role in missing if role in ("X", "targets")]
    if missing:
        raise UnclearTrainerError(f"nothing takes {' and nothing '.join(missing)}{_shown(found)}; {_HOW}")
    return found


def _assigned(roles: Mapping[str, list[str]], taken: Mapping[str, str]) -> dict[str, str]:
    """A role for each parameter that has one left: first where only one is possible, then in order.

    Of several that which is needed and cannot come from elsewhere, else the likeliest.
    """
    found: dict[str, str] = {}
    while True:
        used = {*taken.values(), *found.values()}
        free = {name: [role for role in some if role not in used] for name, some in roles.items() if name not in found}
        open_ = {name: some for name, some in free.items() if some}
        if not open_:
            return found
        name = next((name for name, some in open_.items() if len(some) == 1), next(iter(open_)))
        elsewhere = used.union(*(some for other, some in open_.items() if other != name))
        missing = [role for role in NEEDED if role not in elsewhere]  # as targets are, where labels are called t
        if "n_epochs" in elsewhere and "n_steps" in missing:
            missing.remove("n_steps")
        found[name] = next((role for role in missing if role in open_[name]), open_[name][0])


def _roles_of(parameter: inspect.Parameter) -> list[str]:
    """What a parameter may take. A default tells whether it may stand for a number, an array or a switch."""
    roles, default = list(trainer_roles(parameter.name)), parameter.default
    if default is parameter.empty:
        return roles
    if parameter.name == "C" and isinstance(default, float):
        return ["C"]
    if isinstance(default, bool):
        return [role for role in roles if role == "shuffle"]
    if isinstance(default, int | float):
        return [role for role in roles if role in _NUMBERS]
    return [role for role in roles if role in (*_NUMBERS, *_ARRAYS)] if default is None else []


_HOW = "claim it: --takes X,targets,W,b,learning_rate,n_steps, in its own order"


def _shown(found: Mapping[str, str]) -> str:
    return ", with " + ", ".join(f"{name} as {role}" for name, role in found.items()) if found else ""
