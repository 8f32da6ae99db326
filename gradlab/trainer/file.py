"""The certificate of a training as a file, and whether what it says holds: all of it is worked out again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gradlab.layer.problem import Penalty
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trained
from gradlab.trainer.certificate import Certificate, Point, certify_point, certify_training
from gradlab.trainer.data import Data, load_data, standardised
from gradlab.trainer.problem import TrainerProblem
from gradlab.trainer.run import Settings, problem_on
from gradlab.trainer.solver import Solution

SCHEMA = "gradlab-training-certificate-2"
POINT = ("least_loss", "most_loss", "gradient", "to_optimum")  # what is stated of parameters wherever they come from
ROOM = 1 + 2.0**-20  # between the same bounds, worked out by two machines


class CertificateFileError(ValueError):
    """Why a file is no certificate of a training: one line, for people."""


@dataclass(frozen=True)
class Source:
    """Where a training came from. target: the trainer; data: its name; is_standardised: whether it was brought to 1."""

    target: str
    data: str
    is_standardised: bool

    def load(self) -> Data:
        """The data. Raises DataError."""
        found = load_data(self.data)
        return standardised(found) if self.is_standardised else found


def encode_certificate(source: Source, certificate: Certificate, trained: Trained) -> dict[str, Any]:
    """The certificate as plain data, every number in hexadecimal."""
    point = {name: value for name, value in _stated(certificate.point).items() if name != "gradient"}
    stated = {"at_most": certificate.at_most, **point}
    return _encoded_with(source, certificate.problem, trained, stated)


def encode_solution(source: Source, solution: Solution) -> dict[str, Any]:
    """What is proved of a solution as plain data, every number in hexadecimal."""
    return _encoded_with(source, solution.problem, solution.trained, _stated(solution.point))


def _encoded_with(
    source: Source, problem: TrainerProblem, trained: Trained, stated: Mapping[str, float]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "source": asdict(source),
        "digest": _digest(problem),
        "dtype": problem.format.name,
        "data_dtype": _data_dtype(problem),
        "learning_rate": problem.learning_rate.hex(),
        "n_steps": problem.n_steps,
        "batch_size": problem.batch_size,
        "turns": None if problem.turns is None else [rows.tolist() for rows in problem.turns],
        "penalty": {**asdict(problem.penalty), "strength": problem.penalty.strength.hex()},
        "has_bias": problem.bias is not None,
        "start": _encoded(problem.start64),
        "parameters": _encoded(trained.parameters),
        "stated": {name: float(value).hex() for name, value in stated.items()},
    }


def faults_of(document: Any) -> Iterator[str]:
    """What a certificate says that does not hold, a line each: it is worked out again from the data and the weights.

    Raises CertificateFileError where it is none, and DataError.
    """
    try:
        source = Source(**document["source"])
        schema, digest = document["schema"], document["digest"]
        stated = {name: float.fromhex(document["stated"][name]) for name in document["stated"]}
        problem, trained = _problem(document, source.load())
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise CertificateFileError(f"it is no certificate of a training: {error!r:.80}") from error
    if schema != SCHEMA:
        raise CertificateFileError(f"its schema must be {SCHEMA}, is {schema!r:.60}")
    if not set(POINT) - {"gradient"} <= set(stated) <= {"at_most", *POINT}:
        raise CertificateFileError(f"it must state {', '.join(POINT)}, states {', '.join(stated):.60}")
    if _digest(problem) != digest:
        yield "the data are not those of the certificate"
        return
    again = _worked_out(problem, trained, "at_most" in stated)
    for name, value in stated.items():
        own = again[name]
        holds = value <= own + abs(own) * (ROOM - 1) if name == "least_loss" else value * ROOM >= own
        if not holds:
            yield f"{name} is stated as {value:.6g}, is {own:.6g}"


def _worked_out(problem: TrainerProblem, trained: Trained, is_descent: bool) -> dict[str, float]:
    if not is_descent:
        return _stated(certify_point(problem, trained.parameters))
    certificate = certify_training(problem, trained)
    return {"at_most": certificate.at_most, **_stated(certificate.point)}


def _stated(point: Point) -> dict[str, float]:
    return {name: float(getattr(point, name)) for name in POINT}


def _encoded(values: Array) -> list[list[str]]:
    return [[float(value).hex() for value in row] for row in values]


def _decoded(rows: Any, shape: tuple[int, ...], name: str) -> Array:
    values: Array = np.array([[float.fromhex(word) for word in row] for row in rows])
    if values.shape != shape or not np.isfinite(values).all():
        raise CertificateFileError(f"its {name} must be finite, shape {shape}")
    return values


def _problem(document: Any, data: Data) -> tuple[TrainerProblem, Trained]:
    dtype, penalty, has_bias = str(document["dtype"]), document["penalty"], bool(document["has_bias"])
    rate, n_steps = float.fromhex(document["learning_rate"]), int(document["n_steps"])
    settings = Settings(document["data_dtype"], rate, n_steps, batch_size=document["batch_size"], has_bias=has_bias)
    plain = problem_on(data, settings)
    shape, split = plain.start64.shape, plain.n_features
    start, end = (_decoded(document[name], shape, name) for name in ("start", "parameters"))
    turns = document["turns"]
    problem = plain.replace(
        features=plain.features.astype(dtype),
        turns=None if turns is None else tuple(np.array(rows, dtype=np.int64) for rows in turns),
        weight=start[:split].astype(dtype),
        bias=start[split].astype(dtype) if has_bias else None,
        penalty=Penalty(float.fromhex(penalty["strength"]), bool(penalty["halved"]), bool(penalty["takes_bias"])),
    )
    return problem, Trained(end[:split], end[split] if has_bias else None)


def _data_dtype(problem: TrainerProblem) -> str:
    """What the data were brought to before a trainer computed in float64, whatever they are in."""
    features = problem.features
    return "float32" if (features.astype(np.float32) == features).all() else problem.format.name


def _digest(problem: TrainerProblem) -> str:
    contents = problem.features.tobytes() + problem.targets.tobytes()
    return hashlib.sha256(contents).hexdigest()
