"""The forms in NumPy as `gradlab derive` prints them, as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from gradlab.symbolic.form import Form
from gradlab.symbolic.forms import FORMS as DERIVED
from gradlab.symbolic.generate import numpy_source
from gradlab.symbolic.routine import identifier


def _function_of(form: Form) -> Callable[[Array, Array], tuple[Array, Array]]:
    scope: dict[str, Any] = {"np": np, "Any": Any, "Array": Array}
    exec(numpy_source(form), scope)
    function: Callable[[Array, Array], tuple[Array, Array]] = scope[identifier(form.name)]
    return function


FORMS = {name: _function_of(form) for name, form in DERIVED.items()}
