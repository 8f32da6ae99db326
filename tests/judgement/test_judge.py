"""A judgement: a verdict, a reward that nothing wrong gets, and words to act on; the same for the same seed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.harness.verdict import Verdict
from gradlab.judgement.judge import BATTERY, Judge, Question
from gradlab.judgement.judgement import reward_of
from gradlab.storage.files import parsed_json, strict_json
from tests.judged.conftest import LIMITS
from tests.judgement.conftest import NOT_AVERAGED, NOT_SHIFTED, RIGHT, Written

FLOAT32 = ("float32",)
# Right until it has been called so often that a run of `smoke` is over, and wrong in calls that are timed.
RIGHT_AT_FIRST = RIGHT.replace("    return value", "    if CALLS > 60:\n        gradient *= 1.5\n    return value")


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge(LIMITS) as own:
        yield own


def test_a_right_function_is_rewarded(judge: Judge, written: Written) -> None:
    judgement = judge.judge(Question(written(RIGHT), profile="smoke", dtypes=FLOAT32))
    assert judgement.met
    assert judgement.verdict == "stable"
    assert 0.6 < judgement.reward < 0.8
    assert judgement.ratio is not None
    assert judgement.ratio <= 1
    assert judgement.cost is not None
    assert judgement.cost.seconds is not None
    assert f"verdict: stable; error over tolerance {judgement.ratio:.3g}" in judgement.text


@pytest.mark.parametrize("source", [NOT_AVERAGED, RIGHT.replace("-= 1", "-= 2"), "def loss(a, b):\n    return 0, a\n"])
def test_hopeless_code_is_given_up_after_the_first_problems(judge: Judge, written: Written, source: str) -> None:
    judgement = judge.judge(Question(written(source)))
    assert judgement.verdict == "wrong"
    assert judgement.reward == 0
    assert 0 < judgement.battery <= BATTERY
    assert f"given up as wrong after the first {judgement.battery} problems" in judgement.text
    assert judgement.cost is None


def test_what_is_unstable_is_worth_less_than_what_is_stable(judge: Judge, written: Written) -> None:
    judgement = judge.judge(Question(written(NOT_SHIFTED), profile="smoke", dtypes=FLOAT32))
    assert judgement.verdict == "unstable"
    assert not judgement.met
    assert 0 < judgement.reward < reward_of(Verdict.STABLE, 1e9)
    assert "subtract the largest logit" in judgement.text


def test_what_is_right_only_until_it_is_timed_gets_nothing(judge: Judge, written: Written) -> None:
    judgement = judge.judge(Question(written(RIGHT_AT_FIRST), profile="smoke", dtypes=FLOAT32))
    assert judgement.cost is None or judgement.cost.fault
    assert judgement.reward == 0
    assert not judgement.met


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nowhere_at_all\n", "nowhere_at_all"),
        ("def loss(:\n", "SyntaxError"),
        ("import os\nos._exit(3)\n", "exit"),
    ],
)
def test_what_does_not_load_is_refused(judge: Judge, written: Written, source: str, reason: str) -> None:
    judgement = judge.judge(Question(written(source)))
    assert judgement.verdict == "refused"
    assert judgement.reward == 0
    assert reason in judgement.text
    assert parsed_json(strict_json(judgement.to_json()))["refusal"]


def test_a_package_that_is_forbidden_is_not_to_be_had(judge: Judge, written: Written) -> None:
    judgement = judge.judge(Question(written("import colorsys\n" + RIGHT), forbidden=("colorsys",)))
    assert judgement.verdict == "refused"
    assert "colorsys is forbidden here" in judgement.text


def test_a_file_of_several_functions_is_refused(judge: Judge, written: Written) -> None:
    target = written(RIGHT + "def other(a, b): ...\n__all__ = ['loss', 'other']\n")
    assert "stands for 2 functions, must be one" in judge.judge(Question(target.partition(":")[0])).text


def test_the_same_seed_gives_the_same_judgement(judge: Judge, written: Written) -> None:
    target = written(NOT_SHIFTED)
    first, again, other = (
        {**judge.judge(Question(target, seed, "smoke", dtypes=FLOAT32)).to_json(), "measured": None}
        for seed in (5, 5, 6)
    )
    assert json.dumps(first) == json.dumps(again)
    assert json.dumps(first) != json.dumps(other)


def test_an_unknown_profile_level_or_dtype_is_refused(judge: Judge, written: Written) -> None:
    target = written(RIGHT)
    with pytest.raises(ValueError, match="profile must be one of smoke, quick"):
        judge.judge(Question(target, profile="slow"))
    with pytest.raises(ValueError, match="level must be one of"):
        judge.judge(Question(target, level="good"))
    with pytest.raises(ValueError, match="claims the dtypes"):
        judge.judge(Question(target, claims={"dtypes": ["float32"]}, dtypes=("float64",)))


@given(st.tuples(*[st.floats(0, 1e12)] * 2))
def test_the_verdict_counts_for_more_than_any_time(times: tuple[float, float]) -> None:
    for lower, higher in itertools.pairwise(Verdict):
        assert reward_of(lower, times[0]) < reward_of(higher, times[1])
    assert reward_of(Verdict.WRONG, times[0]) == 0
    slow, fast = max(times), min(times)
    assert reward_of(Verdict.STABLE, slow) <= reward_of(Verdict.STABLE, fast) <= 1
    assert reward_of(Verdict.STABLE, None) <= reward_of(Verdict.STABLE, slow)


def test_each_judgement_has_processes_of_its_own(judge: Judge, written: Written, tmp_path: Path) -> None:
    places = tmp_path / "processes"
    target = written(f"import os\nopen({str(places)!r}, 'a').write(os.urandom(8).hex() + ' ')\n" + NOT_AVERAGED)
    for _ in range(2):
        judge.judge(Question(target, dtypes=FLOAT32))
    processes = places.read_text().split()
    assert len(set(processes)) == len(processes) >= 2


# Keeps no answer of its own, but puts a file into the folder of kept results.
POISONING = """
from pathlib import Path
from gradlab.storage.cache import cache_folder
cache_folder().mkdir(parents=True, exist_ok=True)
(cache_folder() / "drawn-poison.json").write_text("{}")
"""


def test_what_code_puts_among_kept_results_is_removed(
    judge: Judge, written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path / "cache"))
    judge.judge(Question(written(POISONING + NOT_AVERAGED), dtypes=FLOAT32))
    assert (tmp_path / "cache").is_dir()
    assert not list((tmp_path / "cache").glob("drawn-poison*"))
