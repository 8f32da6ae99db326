"""Every lesson can be passed, its stub does not pass, and its hints give nothing away."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from gradlab.lessons.hints import GROUPS, KIND, KINDS, WHERE, Hint
from gradlab.lessons.judging import judge_function
from gradlab.lessons.outcome import HALF_RIGHT, MAX_POINTS, NOT_BEGUN, POINTS, REFUSED
from gradlab.lessons.table import LESSONS, MATERIAL, STUB, Lesson, lesson_named
from gradlab.targets.shipped import layer_specimens, specimens
from tests.lessons.attempts import ATTEMPTS, Attempt
from tests.lessons.conftest import SOLUTIONS, function_in, solution
from tests.runs import only_first

NAMES = [lesson.name for lesson in LESSONS]
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # students' code overflows, and NumPy says so


def test_the_lessons_go_from_overflow_to_an_accurate_gradient() -> None:
    assert (len(NAMES), NAMES[0], NAMES[-1]) == (8, "overflow", "accurate")


@pytest.mark.parametrize("name", only_first(NAMES, "gradient", "accurate"))
def test_a_solution_passes(name: str) -> None:
    outcome = judge_function(function_in(SOLUTIONS / f"{name}.py"), lesson_named(name).task, 0)
    assert (outcome.passed, outcome.points, outcome.finding, outcome.hint) == (True, 10, "", Hint())
    assert 0 < outcome.ratio <= 1


@pytest.mark.parametrize("name", only_first(NAMES, "gradient"))
def test_a_stub_is_not_begun(name: str) -> None:
    outcome = judge_function(function_in(MATERIAL / name / STUB), lesson_named(name).task, 0)
    assert (outcome.verdict, outcome.passed, outcome.points) == ("not begun", False, 0)
    assert "as it was delivered" in outcome.hint.where


@pytest.mark.parametrize("attempt", only_first(ATTEMPTS, ATTEMPTS[8], ATTEMPTS[-1]))
def test_a_usual_mistake_gets_a_hint_that_says_its_kind(attempt: Attempt) -> None:
    outcome = judge_function(attempt.function, lesson_named(attempt.lesson).task, 0)
    assert not outcome.passed
    assert attempt.said in outcome.hint.kind
    assert " on " in outcome.hint.where


@pytest.mark.parametrize("name", NAMES)
def test_usual_mistakes_are_known_for_each_lesson(name: str) -> None:
    assert len([one for one in ATTEMPTS if one.lesson == name]) >= 2


def all_hints() -> dict[str, str]:
    own = {f"{one.name}/{key}": text for one in LESSONS for key, text in one.task.hints.items()}
    return {**KINDS, **GROUPS, **own}


@pytest.mark.parametrize("name", all_hints())
def test_a_hint_of_a_kind_has_no_code(name: str) -> None:
    text = all_hints()[name]
    without_names = re.sub(r"`(loss|shifted|reduction)`", "", text)
    assert re.search(r"np\.|axis|keepdims|log1p|\w\(|=|`|\[", without_names) is None


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_hint_is_for_something_that_can_be_found(lesson: Lesson) -> None:
    from gradlab.checks.table import CHECKS

    known = {*specimens(), *(check.name for check in CHECKS), *(check.group for check in CHECKS)}
    assert {*lesson.task.hints, *lesson.task.later} - known == set()


def test_every_theme_of_the_specimens_has_a_kind() -> None:
    themes = {one.function.__module__.rpartition(".")[2] for one in specimens().values()}
    assert themes == KINDS.keys()
    assert layer_specimens()  # those are of no lesson: their group speaks for them


@pytest.mark.parametrize("name", NAMES)
def test_a_stub_says_what_is_to_be_written(name: str) -> None:
    stub = lesson_named(name).stub
    assert stub.count("raise NotImplementedError") == 1
    assert inspect.getdoc(function_in(MATERIAL / name / STUB))


@pytest.mark.parametrize("name", NAMES)
def test_a_solution_keeps_what_its_stub_takes(name: str) -> None:
    given, wanted = (
        inspect.signature(function_in(path)) for path in (SOLUTIONS / f"{name}.py", MATERIAL / name / STUB)
    )
    assert given == wanted
    assert solution(name) != lesson_named(name).stub


def test_an_unknown_lesson_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"must be one of overflow, underflow, .*accurate, got 'x'"):
        lesson_named("x")


def test_a_hint_is_graded() -> None:
    hint = Hint("here", "a sum")
    assert list(hint.lines(0)) == []
    assert list(hint.lines(WHERE)) == ["hint, where: here"]
    assert list(hint.lines(KIND)) == ["hint, where: here", "hint, what kind: a sum"]


def test_the_page_on_exercises_has_the_table_of_the_lessons_and_of_the_points() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exercises.md").read_text()
    assert re.findall(r"^\| `(\w+)` \| (.*) \| (?:stable|accurate)", page, re.MULTILINE) == [
        (lesson.name, lesson.topic) for lesson in LESSONS
    ]
    points = dict(re.findall(r"^\| (.*) \| (\d+) \|$", page, re.MULTILINE))
    assert points == {
        "it passes": str(MAX_POINTS),
        "stable, where the lesson asks for accurate": str(POINTS["stable"]),
        "unstable: right on moderate logits": str(POINTS["unstable"]),
        "wrong, but all that was asked of the loss alone holds, or of the gradient alone": str(HALF_RIGHT),
        "wrong, not begun, or does not load": str(POINTS["wrong"]),
    }
    assert POINTS["wrong"] == POINTS[REFUSED] == POINTS[NOT_BEGUN]


def test_a_mistake_that_no_lesson_knows_gets_a_hint_without_what_comes_out() -> None:
    def loss(logits: Any, labels: Any) -> Any:
        value, gradient = sound(logits, labels)
        return value, gradient + 2 * logits.dtype.type(1) / logits.dtype.type(gradient.size)

    sound = function_in(SOLUTIONS / "gradient.py")
    outcome = judge_function(loss, lesson_named("gradient").task, 0)
    assert outcome.hint.kind == f"{GROUPS['accuracy']}; only the gradient is wrong"
