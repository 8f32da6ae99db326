"""Options that a function takes without a default: recognised by the names of their parameters, and by its docstring.

They are handed over in every call: where a problem has the option off, with the value that changes nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gradlab.problems.options import PER_ROW_OPTIONS, REAL_OPTIONS

NO_LABEL = -100  # the ignore_index of a problem that ignores none: the usual one, and no label of a row
PER_CLASS, PER_ROW = "class_weights", "sample_weights"
# Words of a parameter's name, all of a group in it, for each option; a name of other words says nothing.
_WORDS = {
    PER_CLASS: (
        {"class", "classes", "cls", "per", "of", "by", "each", "for", "the", "ce", "loss"},
        [{"class", "classes", "cls", "ce"}, {"weight", "weights"}],
    ),
    PER_ROW: (
        {"sample", "samples", "example", "examples", "row", "rows", "instance", "instances", "per", "of", "by", "each"},
        [
            {"sample", "samples", "example", "examples", "row", "rows", "instance", "instances"},
            {"weight", "weights"},
        ],
    ),
    "label_smoothing": ({"label", "smoothing", "smooth", "eps", "epsilon"}, [{"smoothing", "smooth"}]),
    "ignore_index": (
        {"ignore", "ignored", "index", "idx", "label", "id", "class", "target"},
        [{"ignore", "ignored"}, {"index", "idx", "label", "id", "class", "target"}],
    ),
    "softcap": ({"logit", "logits", "softcap", "soft", "cap", "capping"}, [{"softcap", "cap", "capping"}]),
    "temperature": ({"softmax", "temperature", "temp", "tau"}, [{"temperature", "temp", "tau"}]),
    "z_loss": ({"z", "loss", "weight", "coef", "scale"}, [{"z"}, {"loss"}]),
    "upstream": ({"upstream"}, [{"upstream"}]),
    "poly_epsilon": ({"poly", "epsilon", "eps"}, [{"poly"}, {"epsilon", "eps"}]),
}
_BY_SHAPE = {"weight", "weights"}  # what these are is said by their shape alone
_OF_CLASSES = {"k", "c", "v", "n_classes", "num_classes", "classes", "n_class", "vocab_size"}
_OF_ROWS = {"n", "m", "batch", "batch_size", "n_samples", "n_examples", "n_rows", "rows"}


def required_options(function: Callable[..., Any]) -> tuple[str, ...]:
    """The options among the parameters without a default, each as the claim `required` has it.

    A parameter whose docstring gives it a shape of two axes, as class_weight (D, K), is none: it is a weight matrix.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    docs = inspect.getdoc(function) or ""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    bare = [one.name for one in parameters if one.default is one.empty and one.kind in kinds]
    found: dict[str, str] = {}
    for name in bare:
        found.setdefault(option_of(name, shape_said(docs, name)), name)
    return tuple(name if name == option else f"{option}={name}" for option, name in found.items() if option)


def option_of(name: str, shape: tuple[str, ...] = ()) -> str:
    """The option that a parameter of this name takes, "" where it is none; shape: what the docstring says of it.

    >>> option_of("weight_per_class"), option_of("smoothing"), option_of("classifier_weight")
    ('class_weights', 'label_smoothing', '')
    >>> option_of("weights"), option_of("weights", ("K", "")), option_of("class_weight", ("D", "K"))
    ('', 'class_weights', '')
    """
    if len([axis for axis in shape if axis]) > 1:
        return ""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    if shape and set(words) <= _BY_SHAPE:
        axis = shape[0].lower()
        return PER_CLASS if axis in _OF_CLASSES else PER_ROW if axis in _OF_ROWS else ""
    for option, (allowed, groups) in _WORDS.items():
        if set(words) <= allowed | set().union(*groups) and all(group & set(words) for group in groups):
            return option
    return ""


def shape_said(docs: str, name: str) -> tuple[str, ...]:
    """The axes that a docstring gives to a parameter on the line of its name, "" for none after a comma; () for none.

    >>> shape_said("W: (D, K). w: one for each class, shape (K,).", "w")
    ('K', '')
    """
    said = re.search(rf"(?<!\w){re.escape(name)}(?!\w)[^\n()]*\(([^\n()]*,[^\n()]*)\)", docs)
    return tuple(axis.strip() for axis in said[1].split(",")) if said else ()


def neutral_values(names: Iterable[str], dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> dict[str, Any]:
    """Of each of these options the value that changes nothing; weights are ones, in `dtype`.

    shape: (N, K), those of the logits; without it arrays are left out.
    """
    wanted = tuple(names)
    if not wanted:  # as in nearly every call
        return {}
    known: dict[str, Any] = {"label_smoothing": 0.0, "ignore_index": NO_LABEL}
    known |= {name: one.neutral for name, one in REAL_OPTIONS.items()}
    if shape is not None:
        known |= {PER_CLASS: np.ones(shape[1], dtype)} | {name: np.ones(shape[0], dtype) for name in PER_ROW_OPTIONS}
    return {name: known[name] for name in wanted if name in known}
