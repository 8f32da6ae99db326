"""A loss of logits with an option without a default: it is given in every call, and held to where it is claimed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradlab.api import check
from gradlab.evaluation.call import Implementation
from gradlab.report.explained import claims_line, options_not_claimed
from gradlab.targets.importing import TargetError
from gradlab.targets.load import load

SOURCE = """
import numpy as np

def loss(logits, labels, OPTION):
    n, k = logits.shape
    z = logits / logits.dtype.type(temperature)
    d = z - z.max(axis=1, keepdims=True)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore"):
        t = np.eye(k, dtype=logits.dtype)[labels] * logits.dtype.type(1 - label_smoothing)
        t = (t + logits.dtype.type(label_smoothing / k)) * class_weights
        total = class_weights[labels].sum()
        terms = np.where(t == 0, 0, -t * log_p)
    g = (np.exp(log_p) * t.sum(axis=1, keepdims=True) - t) / total / logits.dtype.type(temperature)
    return terms.sum() / total, g
"""
OFF = {"class_weights": "np.ones(k, logits.dtype)", "label_smoothing": "0.0", "temperature": "1.0"}


def requiring(folder: Path, option: str, parameter: str, **claims: Any) -> Implementation:
    """A loss that has to be given this option, by this parameter."""
    name = parameter.removeprefix("*, ")
    lines = {**OFF, option: name}
    own = "".join(f"    {one} = {value}\n" for one, value in lines.items() if one != value)
    source = SOURCE.replace("OPTION", parameter).replace("shape\n", f"shape\n{own}")
    (folder / "own.py").write_text(source)
    (found,) = load(f"{folder / 'own.py'}:loss", claims)
    return found


@pytest.mark.parametrize("option", OFF)
@pytest.mark.parametrize("form", ["{}", "*, {}"])
def test_sound_code_passes_with_the_option_off_and_on(tmp_path: Path, option: str, form: str) -> None:
    off = requiring(tmp_path, option, form.format(option))
    assert (off.claims.required, off.claims.options) == ((option,), ())
    assert options_not_claimed(off) == (option,)
    assert f"{option} off in every call" in claims_line(off.claims)
    for claimed in ([], [option]):
        assert check(f"{tmp_path / 'own.py'}:loss", profile="smoke", dtypes=["float64"], options=claimed).met


def test_another_name_is_claimed_with_its_option(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="missing a required argument: 'weights'"):
        requiring(tmp_path, "class_weights", "weights")
    found = requiring(tmp_path, "class_weights", "weights", options=["class_weights=weights"])
    assert (found.claims.options, found.claims.required) == (("class_weights",), ("class_weights=weights",))
    assert check(found.function, profile="smoke", dtypes=["float64"], options=["class_weights=weights"]).met


def test_a_cap_is_required_by_a_claim_alone(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="softcap must have a default"):
        requiring(tmp_path, "softcap", "softcap")
    assert requiring(tmp_path, "softcap", "softcap", required=["softcap"]).claims.required == ("softcap",)
