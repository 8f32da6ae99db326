"""`layer:exec:./program`: a layer as a program in any language, which keeps to the protocol of `exec:`.

The protocol, for each call; as in `program.py`, but that

    asked     the line is {"protocol":1,"scope":"layer","dtype":"float32","rows":2,"features":4,"classes":3,"bias":true,
              "targets":"index","reduction":"mean"}, and each option that is on a further key at its end, "l2" too; then
              the features, rows times features numbers of the dtype, row after row,
              the weight, features times classes numbers, one feature's after the other,
              the bias, classes numbers, where "bias" is true, and the targets
    answers   the line is {"dtype":"float32"}, or {"dtype":"float32","returns":["loss","dW"]} of loss, dX, dW and db,
              where it does not return all of them; then
              these, in that order, each in the shape of what it is the gradient by
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.adapters.pipes import Conversation
from gradlab.adapters.program import answered_header, command_of, little_endian
from gradlab.evaluation.layer_claims import GRADIENTS, LOSS
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found

CLAIMS = {
    "takes": ["X", "W", "targets", "b"],
    "weight_layout": "DK",
    "feature_layout": "ND",
    "bias_layout": "K",
}
OUTPUTS = (LOSS, *GRADIENTS)


def resolve(reference: str, target: str) -> Found:
    """What a target `layer:exec:command` stands for. Raises TargetError where there is no such program."""
    command = command_of(reference, target)
    conversation = Conversation(command, Path.cwd())

    def call(
        X: Array,
        W: Array,
        targets: Array,
        b: Array | None = None,
        *,  # what is asked of the loss
        reduction: str = "mean",
        **options: Any,
    ) -> dict[str, Array]:
        given = {"X": X, "W": W, "targets": targets} | ({} if b is None else {"b": b})
        return loss_and_gradients(conversation, given, {"reduction": reduction, **options})

    return Found(Path(command[-1]).stem, call, None, target, CLAIMS)


def loss_and_gradients(
    conversation: Conversation, given: Mapping[str, Array], options: Mapping[str, Any]
) -> dict[str, Array]:
    """What the program answers, by name, in the dtype in which it does.

    Raises ProgramError where it dies, is silent, or does not keep to the protocol; ValueError where it refuses the
    call.
    """
    n_rows = len(given["X"])
    shapes = {LOSS: (n_rows,) if options["reduction"] == "none" else (), "dX": given["X"].shape, "dW": given["W"].shape}
    if "b" in given:
        shapes["db"] = given["b"].shape
    conversation.ask(_question(given, options))
    header = answered_header(conversation, conversation.line())
    returns = header.get("returns", list(shapes))
    if not isinstance(returns, list) or not all(name in shapes for name in returns):
        raise conversation.broken(f"returns must be a list of {', '.join(shapes)}, got {returns!r:.80}")
    dtype = np.dtype(header["dtype"]).newbyteorder("<")
    answers: dict[str, Array] = {}
    for name in returns:
        values = np.frombuffer(conversation.exactly(dtype.itemsize * prod(shapes[name])), dtype)
        answers[name] = values.astype(dtype.newbyteorder("=")).reshape(shapes[name])
    conversation.end_of_answer()
    return answers


def _question(given: Mapping[str, Array], options: Mapping[str, Any]) -> bytes:
    features, weight, targets = given["X"], given["W"], given["targets"]
    kind = "index" if targets.dtype.kind in "iu" else "probability"
    header = {
        "protocol": 1,
        "scope": "layer",
        "dtype": features.dtype.name,
        "rows": features.shape[0],
        "features": features.shape[1],
        "classes": weight.shape[1],
        "bias": "b" in given,
        "targets": kind,
    }
    named = {name: one.tolist() if isinstance(one, np.ndarray) else one for name, one in options.items()}
    line = json.dumps({**header, **named}, separators=(",", ":")).encode() + b"\n"
    numbers = targets.astype("<i8") if kind == "index" else little_endian(targets)
    arrays = [little_endian(one) for one in (features, weight, *([given["b"]] if "b" in given else []))]
    return line + b"".join(one.tobytes() for one in (*arrays, numbers))
