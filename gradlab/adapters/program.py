"""`exec:./program`: a program in any language, asked through its standard input and answering on its standard output.

The protocol, for each call; the program is started once, and ends where its input does:

    asked     one line, {"protocol":1,"dtype":"float32","rows":2,"classes":3,"targets":"index","reduction":"mean"},
              its keys always in this order and without spaces, each option that is on as a further key at its end;
              then the logits, rows times classes numbers of the dtype, row after row, and
              the labels, rows numbers of int64 (with "targets":"probability" rows times classes of the dtype)
    answers   one line, {"dtype":"float32"}, of float16, float32 and float64 the one in which it answers;
              then the loss, one number (with "reduction":"none" one for each row), and
              the gradient, rows times classes numbers
    or        one line, {"error":"why"}, and no more: the call is refused

All numbers are little-endian, as they are in memory, and nothing stands between them.
"""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.adapters.pipes import Conversation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found
from gradlab.targets.importing import TargetError

ANSWERED = ("float16", "float32", "float64")


def resolve(reference: str, target: str) -> Found:
    """What a target `exec:command` stands for; the command is split as a shell does, and run in the current folder.

    Raises TargetError where there is no such program.
    """
    command = command_of(reference, target)
    conversation = Conversation(command, Path.cwd())

    def call(logits: Array, targets: Array, reduction: str = "mean", **options: Any) -> tuple[Array, Array]:
        return loss_and_gradient(conversation, logits, targets, {"reduction": reduction, **options})

    return Found(Path(command[-1]).stem, call, None, target)


def command_of(reference: str, target: str) -> list[str]:
    """The command, with the whole path of its program. Raises TargetError where there is no such program."""
    try:
        command = shlex.split(reference)
    except ValueError as error:
        raise TargetError(f"{target} must be a command after exec: ({error})") from error
    program = shutil.which(command[0]) if command else None
    if program is None:
        raise TargetError(f"{target}: {command[0] if command else reference!r} must be a program that can be executed")
    return [str(Path(program).absolute()), *command[1:]]


def loss_and_gradient(
    conversation: Conversation, logits: Array, targets: Array, options: dict[str, Any]
) -> tuple[Array, Array]:
    """The loss and the gradient (N, K) that the program answers, in the dtype in which it does.

    Raises ProgramError where it dies, is silent, or does not keep to the protocol; ValueError where it refuses the
    call.
    """
    n_losses = len(logits) if options["reduction"] == "none" else 1
    conversation.ask(_question(logits, targets, options))
    dtype = np.dtype(answered_header(conversation, conversation.line())["dtype"]).newbyteorder("<")
    values = np.frombuffer(conversation.exactly(dtype.itemsize * (n_losses + logits.size)), dtype)
    conversation.end_of_answer()
    values = values.astype(dtype.newbyteorder("="))
    loss = values[:n_losses] if options["reduction"] == "none" else values[0]
    return np.asarray(loss), values[n_losses:].reshape(logits.shape)


def _question(logits: Array, targets: Array, options: dict[str, Any]) -> bytes:
    if logits.ndim != 2:
        raise ValueError(f"logits must have shape (N, K), got {logits.shape}")
    kind = "index" if targets.dtype.kind in "iu" else "probability"
    shape = logits.shape[:1] if kind == "index" else logits.shape
    if targets.shape != shape:
        raise ValueError(f"targets must have shape {shape}, got {targets.shape}")
    header = {"protocol": 1, "dtype": logits.dtype.name, "rows": logits.shape[0], "classes": logits.shape[1]}
    given = {name: one.tolist() if isinstance(one, np.ndarray) else one for name, one in options.items()}
    line = json.dumps({**header, "targets": kind, **given}, separators=(",", ":")).encode() + b"\n"
    numbers = targets.astype("<i8") if kind == "index" else little_endian(targets)
    return line + little_endian(logits).tobytes() + numbers.tobytes()


def little_endian(numbers: Array) -> Array:
    return numbers if numbers.dtype.name == "bfloat16" else numbers.astype(numbers.dtype.newbyteorder("<"))


def answered_header(conversation: Conversation, line: bytes) -> dict[str, Any]:
    """The first line of an answer, which has a dtype. Raises ValueError where it refuses the call."""
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):  # nested too deeply
        header = None
    if isinstance(header, dict) and isinstance(header.get("error"), str):
        conversation.end_of_answer()
        raise ValueError(f"refused: {header['error']}")
    if not isinstance(header, dict) or header.get("dtype") not in ANSWERED:
        shown = line.decode(errors="backslashreplace").rstrip("\n")
        wanted = f'{{"dtype":"float32"}} (or another of {", ".join(ANSWERED)}) or {{"error":"why"}}'
        raise conversation.broken(f"the first line of an answer must be {wanted}, got {shown!r:.80}")
    return header
