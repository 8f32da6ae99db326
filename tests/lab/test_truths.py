"""The true value beside every intermediate value of a form, against ball arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import arb

from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.ulp import error_in_ulp
from tests.lab.model import precision
from tests.lab.node import run
from tests.lab.settings import DTYPES, Setting, as_data, draw

N_SETTINGS = 500
KEYS = ("d", "e", "raw", "s", "rawSum", "o", "log", "q", "p")
TRUTHS = """
const format = Arithmetic.FORMATS[data.format];
const text = (x) => String(Arithmetic.nearest(x, format)).replace("Infinity", "inf");
return data.rows.map(({ logits, label }) => {
  const truth = Forms.truthOf(logits, label);
  return Object.fromEntries(data.keys.map((key) => [key, truth[key].map(text)]));
});
"""


def exact_values(setting: Setting) -> dict[str, list[arb]]:
    """Every quantity of `truthOf`, by its key."""
    x = [arb(float(logit)) for logit in setting.logits]
    top = x[int(np.argmax(setting.logits))]
    d = [logit - top for logit in x]
    e, raw = [one.exp() for one in d], [one.exp() for one in x]
    s = sum(e, arb(0))
    others = sum((one for j, one in enumerate(e) if j != setting.label), arb(0))
    log = s.log()
    return {
        "d": d,
        "e": e,
        "raw": raw,
        "s": [s],
        "rawSum": [sum(raw, arb(0))],
        "o": [others],
        "log": [log],
        "q": [one - log for one in d],
        "p": [one / s for one in e],
    }


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_value_shown_as_true_is_within_1_ulp(dtype: str) -> None:
    settings = draw(dtype, N_SETTINGS)
    answers: list[dict[str, Any]] = run(("arithmetic.js", "forms.js"), TRUTHS, {**as_data(settings), "keys": KEYS})
    with precision(4_000):  # log S = log(1 + exp(-1600)) takes 2,300 bits by itself
        exact = [exact_values(setting) for setting in settings]
        truths = {key: to_enclosures([value for values in exact for value in values[key]]) for key in KEYS}
    for key, truth in truths.items():
        given = np.array([float(text) for answer in answers for text in answer[key]]).astype(dtype)
        assert error_in_ulp(given, truth, settings[0].format).max() <= 1, key
