"""A training in a file as it goes on, so that the same command takes it up again where it stopped."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.campaigns.collapse.network import Parameters, Setting
from gradlab.campaigns.collapse.training import Training, begin
from gradlab.problems.problem import Array
from gradlab.storage.encoding import Plain
from gradlab.storage.files import parsed_json, strict_json, write_whole

SCHEMA = "gradlab-training-1"
_LISTS = ("values", "first", "second")  # of arrays


def place_of(folder: Path, setting: Setting, target: str, seed: int) -> Path:
    """The file of one training: named by all that it depends on but the code."""
    what = hashlib.sha256(repr((setting, target, seed)).encode()).hexdigest()[:12]
    return folder / f"{setting.modulus}-{seed}-{what}.json"


def keep(training: Training, path: Path) -> None:
    """Writes the training, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document: Plain = {
        "schema": SCHEMA,
        "seed": training.seed,
        "n_done": training.n_done,
        "ended": training.ended,
        "curve": training.curve,
        **{name: [_encoded(one) for one in getattr(training.parameters, name)] for name in _LISTS},
    }
    write_whole(path, strict_json({**document, "digest": _digest(document)}))


def kept_or_new(path: Path, setting: Setting, seed: int) -> Training:
    """The training in a file; one before its first step where there is none, or where the file is damaged."""
    start = begin(setting, seed)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        document = parsed_json(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            return start
        if document.pop("digest") == _digest(document) and document["schema"] == SCHEMA:
            likes = start.parameters.values
            lists = [[_decoded(*pair) for pair in zip(document[name], likes, strict=True)] for name in _LISTS]
            return Training(seed, document["n_done"], Parameters(*lists), document["curve"], document["ended"])
    return start


def encoded_setting(setting: Setting) -> Plain:
    """The setting as plain data."""
    return {**asdict(setting), "hidden": list(setting.hidden), "n_rows": setting.n_rows}


def _digest(document: Plain) -> str:
    return hashlib.sha256(strict_json(document).encode()).hexdigest()


def _encoded(values: Array) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def _decoded(text: Any, like: Array) -> Array:
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(like.shape).astype(np.float32)
