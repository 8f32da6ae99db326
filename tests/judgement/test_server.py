"""A server judges what is asked in lines of JSON, one target after another, and says what is no question."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradlab.cli import status_of
from gradlab.judgement.judge import Judge
from gradlab.judgement.server import MAX_LINE, Server, ServerError, ask, question_of
from tests.judged.conftest import LIMITS
from tests.judgement.conftest import NOT_AVERAGED, RIGHT, Written
from tests.processes import first_line, started


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Path]:
    """The path of a socket at which a server of this process answers."""
    path = tmp_path / "judge.sock"
    with Judge(LIMITS) as judge, Server(path, judge) as server:
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        yield path


def _serve(server: Server) -> None:
    try:
        server.serve()
    except (OSError, ValueError):
        return  # its socket is closed: the test is over


def test_it_judges_one_target_after_another(at: Path, written: Written) -> None:
    wrong = ask(at, {"target": written(NOT_AVERAGED), "seed": 3})
    assert (wrong["verdict"], wrong["measured"]["reward"], wrong["seed"]) == ("wrong", 0, 3)
    right = ask(at, {"target": written(RIGHT), "profile": "smoke", "dtypes": ["float32"]})
    assert right["verdict"] == "stable"
    assert right["measured"]["reward"] > 0.6


def test_one_connection_may_ask_several_questions(at: Path, written: Written) -> None:
    question = json.dumps({"target": written(NOT_AVERAGED), "dtypes": ["float32"]}).encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(at))
        connection.sendall(question + b'{"target": 1}\n' + question)
        with connection.makefile() as lines:
            answers = [json.loads(next(lines)) for _ in range(3)]
    assert [one.get("verdict", "no question") for one in answers] == ["wrong", "no question", "wrong"]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ([], "must be an object with a target"),
        ({"target": 3}, "must be an object with a target"),
        ({"target": "x", "sead": 1}, "not 'sead'"),
        ({"target": "x", "seed": -1}, "seed must be a whole number from 0 on, got -1"),
        ({"target": "x", "seed": True}, "seed must be a whole number"),
        ({"target": "x", "dtypes": "float32"}, "dtypes must be a list of texts"),
        ({"target": "x", "minutes": 0}, "minutes must be a number above 0"),
        ({"target": "x", "here": "/nowhere/at/all"}, "here must be the path of a folder"),
        ({"target": "x", "time": 1}, "time must be true or false"),
        ({"target": "x", "claims": []}, "claims must be an object"),
    ],
)
def test_what_is_no_question_is_said(question: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        question_of(question)


def test_a_server_outlives_what_is_no_question(at: Path, written: Written) -> None:
    with pytest.raises(ValueError, match="profile must be one of"):
        ask(at, {"target": written(RIGHT), "profile": "slow"})
    for nonsense in (b"\xff\xfe\n", b"no json\n", b"x" * (MAX_LINE + 1), b""):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(at))
            try:
                connection.sendall(nonsense)
            except OSError:
                continue  # it has hung up
    assert ask(at, {"target": written(NOT_AVERAGED)})["verdict"] == "wrong"


def test_its_socket_is_for_its_owner_alone(at: Path) -> None:
    assert stat.S_IMODE(at.stat().st_mode) == 0o600


def test_a_socket_that_is_left_is_replaced_and_one_that_answers_is_not(at: Path, tmp_path: Path) -> None:
    with Judge(LIMITS) as judge:
        with pytest.raises(ServerError, match="another server answers there"):
            Server(at, judge)
        left = tmp_path / "left.sock"
        with socket.socket(socket.AF_UNIX) as forgotten:
            forgotten.bind(str(left))
        with Server(left, judge):
            assert left.exists()
        assert not left.exists()
        (tmp_path / "file").write_text("mine")
        with pytest.raises(ServerError, match="is no socket"):
            Server(tmp_path / "file", judge)


def test_nobody_to_ask_is_said(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="nobody judges at"):
        ask(tmp_path / "nothing.sock", {"target": "x"})


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_ended(ending: signal.Signals, tmp_path: Path, written: Written) -> None:
    path = tmp_path / "own.sock"
    with started(sys.executable, "-m", "gradlab", "judge", "--serve", os.fspath(path)) as process:
        assert first_line(process) == f"judging at {path}; Ctrl-C ends it\n"
        assert ask(path, {"target": written(NOT_AVERAGED)})["verdict"] == "wrong"
        os.killpg(process.pid, ending)
        process.wait()
    assert not path.exists()


def test_the_command_asks_a_server(at: Path, written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["judge", written(NOT_AVERAGED), "--server", str(at), "--seed", "4"]) == 1
    assert "verdict: wrong; error over tolerance" in capsys.readouterr().out
    assert status_of(["judge", "x", "--server", str(at) + ".no"]) == 2
    assert "nobody judges at" in capsys.readouterr().err
