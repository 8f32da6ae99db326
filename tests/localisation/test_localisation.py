"""Mistakes that are in no catalogue are described: where they show, and what comes out there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation, evaluate
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.logits_problems import problems_for
from gradlab.harness.selection import may_be_asked
from gradlab.localisation import work
from gradlab.localisation.evidence import Effect, evidence_of, holds_of
from gradlab.localisation.features.feature import MAX_ROWS
from gradlab.localisation.finding import localise
from gradlab.localisation.investigation import Investigation
from gradlab.localisation.rules import Condition, Rule
from gradlab.localisation.statements import Localisation
from gradlab.localisation.trial import MAX_CALLS, WORK_KEPT_BACK, Laboratory, Outcome, Trial, outcome_of
from gradlab.localisation.where import Where
from gradlab.localisation.work import MAX_STEPS, SearchEndedError
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from gradlab.problems.patterns import patterned
from gradlab.problems.problem import Array, Problem
from gradlab.problems.sized import repeated_problem
from tests.localisation.at_places import kept_in_half
from tests.localisation.by_numbers import probabilities_in_a_band
from tests.localisation.functions import Function, Mistake, in_rows, mean, parts, right
from tests.localisation.in_part import IN_PART
from tests.localisation.mistakes import MISTAKES
from tests.runs import every

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
CLAIMS = claims_from({"dtypes": "float64"})
EVERY_MISTAKE = pytest.mark.parametrize(
    "mistake",
    every(6, MISTAKES.values(), MISTAKES),
    scope="module",  # so that the tests of one mistake follow one another and share what is found about it
)


@cache
def problems(claims: Claims, seed: int = 0) -> tuple[Problem, ...]:
    return problems_for(claims, "float64", "quick", seed)


@cache
def described(function: Function, *failed: str) -> Localisation | None:
    implementation = Implementation("anonymous", function, CLAIMS)
    return localise(implementation, problems(CLAIMS), failed, partial(may_be_asked, CLAIMS))


@EVERY_MISTAKE
def test_a_mistake_that_is_in_no_catalogue_is_described(mistake: Mistake) -> None:
    found = described(mistake.function)
    assert found is not None
    assert found.where == mistake.where
    assert mistake.what in found.what


@EVERY_MISTAKE
def test_the_description_foretells_problems_that_it_was_not_made_from(mistake: Mistake) -> None:
    found = described(mistake.function)
    assert found is not None
    assert found.n_foretold >= 0.98 * found.n_fresh >= 23
    implementation = Implementation("anonymous", mistake.function, CLAIMS)
    fresh = [problem for problem in problems(CLAIMS, 11)[::2] if problem.n_rows]
    seen = [evidence_of(outcome_of(Trial(problem), evaluate(implementation, problem))) for problem in fresh]
    rule, effect = found.rule, Effect(np.inf, True)
    wrong = [one for one in seen if one.is_wrong and is_told(one.outcome)]
    as_said = [holds_of(rule, one, effect) for one in wrong]
    assert sum(one is True for one in as_said) >= 0.98 * len(as_said) > 0


@pytest.mark.parametrize("mistake", IN_PART.values(), ids=IN_PART)
def test_where_no_rule_is_found_it_is_said_where_all_is_right(mistake: Mistake) -> None:
    found = described(mistake.function)
    assert found is not None
    assert not found.always
    assert found.where.startswith(mistake.where)
    assert mistake.what in found.what
    assert found.n_foretold == found.n_fresh >= 12


def is_told(outcome: Outcome) -> bool:
    """Whether it is known which rows are wrong, or all of them are looked at."""
    return outcome.problem.n_rows <= MAX_ROWS or bool(outcome.wrong_rows.any())


@EVERY_MISTAKE
def test_no_more_calls_are_made_than_allowed(mistake: Mistake) -> None:
    found = described(mistake.function)
    assert found is not None
    assert 0 < found.n_calls <= MAX_CALLS


def test_no_more_steps_are_made_than_allowed_but_for_the_last_search() -> None:
    laboratory = Laboratory(Implementation("anonymous", right, CLAIMS), partial(may_be_asked, CLAIMS))
    laboratory.work.n_steps = int(MAX_STEPS * (1 - WORK_KEPT_BACK))
    assert laboratory.is_spent
    laboratory.release()
    assert not laboratory.is_spent
    laboratory.work.n_steps = MAX_STEPS
    assert laboratory.is_spent


def test_the_same_is_found_however_slow_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    function = MISTAKES["last_class"].function
    clock = iter(range(10**6))  # a second between any two looks
    monkeypatch.setattr(work, "MAX_SECONDS", 1e5)
    monkeypatch.setattr(work, "MAX_WAITING", 1e5)
    monkeypatch.setattr("gradlab.localisation.work.time.process_time", lambda: float(next(clock)))
    monkeypatch.setattr("gradlab.localisation.work.time.monotonic", lambda: float(next(clock)))
    implementation = Implementation("slow", function, CLAIMS)
    found = localise(implementation, problems(CLAIMS), (), partial(may_be_asked, CLAIMS))
    assert found == described(function)


def test_a_search_that_no_time_is_left_for_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MAX_SECONDS", -1.0)
    implementation = Implementation("anonymous", MISTAKES["last_class"].function, CLAIMS)
    with pytest.raises(SearchEndedError, match="the search was ended after"):
        localise(implementation, problems(CLAIMS), (), partial(may_be_asked, CLAIMS))


@pytest.mark.parametrize(
    ("wrong_at", "is_said"), [(lambda n, k: (n, k) == (32, 24), True), (lambda n, k: n == k + 8, False)]
)
def test_a_rule_is_confirmed_where_no_rival_foretells_as_well(
    wrong_at: Callable[[int, int], bool], is_said: bool
) -> None:
    """All that is wrong so far has one shape, and the shapes beside it are right; whether it is that shape is asked."""

    def wrong(x: Array, y: Array) -> Any:
        loss, g = right(x, y)
        return loss, g * 2 if wrong_at(*x.shape) else g

    laboratory = Laboratory(Implementation("anonymous", wrong, CLAIMS), partial(may_be_asked, CLAIMS))
    rng = np.random.default_rng(3)
    shapes = [(32, 24)] * 6 + [(31, 24), (33, 24), (64, 24), (32, 23), (32, 25), (32, 48)] * 2
    asked = [Problem(rng.uniform(-3, 3, shape), rng.integers(0, shape[1], shape[0]), Objective()) for shape in shapes]
    seen = [laboratory.ask(Trial(problem)) for problem in asked]
    investigation = Investigation(laboratory, [evidence_of(one) for one in seen if one is not None])
    rule = Rule((Condition("n_rows", "==", 32), Condition("n_classes", "==", 24)))
    found = investigation.confirmed(Where(rule, 0, 0, 0))
    assert (found is not None) is is_said


IN_BANDS = {
    "wrong only in the entries of which p is between 0.5 and 0.75": (
        probabilities_in_a_band,
        "the gradient is right but for each of these entries, which is 1.01 times what it should be",
    ),
    "wrong only in rows with an entry of which x is 1": (
        in_rows(lambda x, y: (x == 1).any(axis=1)),
        "the gradient is 1.01 times what it should be",
    ),
}


@pytest.mark.parametrize("where", IN_BANDS)
def test_a_band_of_entries_is_described(where: str) -> None:
    function, what = IN_BANDS[where]
    found = described(function)
    assert found is not None
    assert found.where == where
    assert what in found.what
    assert found.n_foretold >= 0.98 * found.n_fresh >= 23


@pytest.mark.parametrize("bend", [0.1, 0.4])
def test_no_rule_of_two_parts_is_said_whose_parts_share_a_threshold(bend: float) -> None:
    """A loss that is off by ever less has no end that experiments could find."""

    def bent(x: Array, y: Array) -> Any:
        losses, g, _ = parts(x, y)
        with np.errstate(all="ignore"):
            return mean(np.where(losses < bend, -np.expm1(-losses), losses), g)

    found = described(bent)
    assert found is None or "or where" not in found.where


@pytest.mark.parametrize("n_fresh", [3, 6])
def test_what_hangs_on_earlier_calls_is_not_laid_to_a_remainder(n_fresh: int) -> None:
    kept: dict[Any, list[Any]] = {}

    def remembers(x: Array, y: Array) -> Any:
        answers = kept.setdefault(x.shape, [])
        if len(answers) < n_fresh:
            answers.append(right(x, y))
        return answers[-1]

    found = described(remembers, "same_call_gives_same_bits")
    assert found is None or "multiple" not in found.where


def test_a_sound_function_is_not_described() -> None:
    assert described(right, "layout_does_not_matter", "outputs_share_no_memory") is None


def test_two_mistakes_of_which_one_is_in_single_entries_are_told_apart() -> None:
    def wrong(x: Array, y: Array) -> Any:
        p = parts(x, y)[2]
        with np.errstate(all="ignore"):
            loss, g = right(x, y)
            g = np.where(g > 0, np.where((p > 0.25) & (p < 0.5), g * x.dtype.type(1.5), g), g)
            return loss + x.dtype.type(len(y) >= 4), g

    found = described(wrong)
    assert found is not None
    assert "the batch has 4 rows or more (right up to 3)" in found.where
    assert "in the entries of which |p - t| is between 0.25 and 0.5" in found.where
    assert "the loss is +1 off" in found.what


def test_rules_that_fit_alike_are_told_apart() -> None:
    def lost_where_the_others_are_small(x: Array, y: Array) -> Any:
        losses, g, p = parts(x, y)
        return mean(np.where(p.max(axis=1, initial=0.0) > 0.99, 0, losses), g)

    found = described(lost_where_the_others_are_small)
    assert found is not None
    assert "the sum of exp(x - max x) over all but the largest logit is at most 0.01" in found.where


def test_a_relation_that_is_hardly_off_is_not_said() -> None:
    def nearly(x: Array, y: Array) -> Any:
        losses, g, p = parts(x, y)
        with np.errstate(all="ignore"):
            return mean(losses, np.where(p < 1e-12, g - p, g))

    found = described(nearly)
    assert found is None or "is 1 times" not in found.what


@pytest.mark.parametrize("salt", range(3))
def test_what_is_wrong_by_chance_is_not_described(salt: int) -> None:
    """Nor is it said where the gradient is 0, so that twice that is right."""

    def by_content(x: Array, y: Array) -> Any:
        loss, g = right(x, y)
        digest = hashlib.sha256(x.tobytes() + y.tobytes() + bytes([salt])).digest()
        return loss, (g * 2 if digest[0] % 2 else g)

    assert described(by_content) is None


def test_the_integer_type_that_is_misread_is_named() -> None:
    def misread(x: Array, y: Array) -> Any:
        return right(x, (y.astype(np.int64) + 1) % x.shape[1]) if y.dtype == np.int16 else right(x, y)

    found = described(misread, "integer_type_of_the_labels_does_not_matter")
    assert found is not None
    assert found.where == "wrong only where the labels' integer type is int16"
    assert "that of the label + 1" in found.what


def test_the_layout_that_is_misread_is_named() -> None:
    def misread(x: Array, y: Array) -> Any:
        return right(-x, y) if x.flags.f_contiguous and not x.flags.c_contiguous else right(x, y)

    found = described(misread, "layout_does_not_matter")
    assert found is not None
    assert found.where == "wrong only where the layout of the logits is Fortran order"


def test_one_call_in_a_few_is_recognised() -> None:
    calls = iter(range(1_000_000))

    def wrong_at_times(x: Array, y: Array) -> Any:
        loss, g = right(x, y)
        return loss, g * x.dtype.type(1.5 if next(calls) % 4 == 3 else 1)

    found = described(wrong_at_times)
    assert found is not None
    assert found.where == "one call in 4 is wrong, whatever it is asked"


@pytest.mark.parametrize(("count", "words"), [(1, "next"), (2, "2nd"), (5, "5th")])
def test_the_call_that_overwrites_a_result_is_named(count: int, words: str) -> None:
    buffers: dict[Any, list[Array]] = {}

    def ring(x: Array, y: Array) -> Any:
        loss, g = right(x, y)
        if g.size <= 200:
            return loss, g
        kept = buffers.setdefault(x.shape, [])
        kept.append(kept.pop(0) if len(kept) == count else np.empty_like(g))
        kept[-1][...] = g
        return loss, kept[-1]

    found = described(ring, "outputs_share_no_memory")
    assert found is not None
    expected = f"the result of a call is overwritten by the {words} call after it with the same shape"
    assert found.where == f"{expected}, where N K is 201 or more"


def labels_wrap(x: Array, y: Array) -> Any:
    return right(x, y.astype(np.int64) % 256 % x.shape[1] if y.dtype != np.int64 else y)


def columns_are_read_as_rows(x: Array, y: Array) -> Any:
    apart = x.flags.f_contiguous and not x.flags.c_contiguous and x.shape[1] > 20
    return right(x.ravel(order="K").reshape(x.shape), y) if apart else right(x, y)


def losses_of(x: Array, y: Array, factor: Any) -> Any:
    loss, g = right(x, y)
    return loss * factor, g


def strides_are_not_heeded(x: Array, y: Array) -> Any:
    if x.base is not None and x.base.ndim == 2 and len(x.base) == 2 * len(x):
        return right(x.base[: len(x)].copy(), y)
    return right(x, y)


def columns_before_rows(x: Array, y: Array) -> Any:
    apart = 0 < x.strides[0] < x.strides[1] and min(x.shape) > 1
    return losses_of(x, y, x.dtype.type(0.5 if apart else 1))


def rows_taken_forwards(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    return loss, (g[::-1].copy() if x.strides[0] < 0 else g)


def indices_in_the_labels_type(x: Array, y: Array) -> Any:
    """Places of the labels in memory are worked out in the labels' integer type; beyond it the gradient lacks them."""
    loss, g = right(x, y)
    rows = np.arange(len(y))
    beyond = rows * x.shape[1] + y.astype(np.int64) > np.iinfo(y.dtype).max
    g[rows[beyond], y[beyond]] += x.dtype.type(1 / max(len(y), 1))
    return loss, g


def sized(layout: str, integers: str, *shapes: tuple[int, int]) -> list[Problem]:
    """Problems of sizes that a run puts in this layout and integer type."""
    family = f"sizes, {integers} labels, {layout}"
    return [patterned(format_of("float64"), *shape).replace(family=family) for shape in shapes]


AMONG_SIZES = {
    "wrong only where the labels' integer type is not int64": (
        labels_wrap,
        sized("C order", "uint16", (13, 300), (26, 700)),
        "the gradient is that of the label modulo 2^8",
    ),
    "wrong only where there are 21 classes or more (right up to 20) and the layout of the logits is Fortran order": (
        columns_are_read_as_rows,
        sized("Fortran order", "int32", (13, 40), (20, 70)),
        "the gradient is that of the numbers in memory one after another, whatever the strides",
    ),
    "wrong only where the layout of the logits is every other row of a taller array": (
        strides_are_not_heeded,
        sized("every other row of a taller array", "int64", (14, 9), (30, 5)),
        "the gradient is that of the first N rows and K columns of the array that the logits are a view of",
    ),
    "wrong only where the logits lie column after column": (
        columns_before_rows,
        [
            *sized("Fortran order", "int64", (14, 9), (40, 6)),
            *sized("transposed, of a taller array", "int64", (30, 5), (17, 8)),
        ],
        "the loss is 0.5 times what it should be",
    ),
    "wrong only where the rows lie in reverse": (
        rows_taken_forwards,
        [*sized("negative strides", "int64", (14, 9), (40, 6)), *sized("rows in reverse", "int64", (30, 5), (17, 8))],
        "the gradient of a row is that of row N - 1 - row",
    ),
    "wrong only where row K + label is no number of the labels' integer type": (
        indices_in_the_labels_type,
        [*sized("C order", "uint8", (50, 12), (33, 30)), *sized("C order", "int8", (20, 40), (40, 10))],
        "the gradient lacks the target",
    ),
    "wrong only where the batch has 2049 rows or more (right up to 2047) and "
    "the row is beyond the last whole block of 2048": (
        in_rows(lambda x, y: (np.arange(len(y)) >= len(y) // 2048 * 2048) & (len(y) > 2048), lambda g: 0 * g),
        sized("C order", "int64", (10_000, 3), (5000, 7), (65_535, 2)),
        "the gradient is 0",
    ),
    "wrong only where K is a multiple of 24": (
        in_rows(lambda x, y: x.shape[1] % 24 == 0),
        sized("C order", "int64", (5, 48), (3, 120), (4, 72)),
        "1.01 times what it should be",
    ),
    "wrong only where N is not exact in float16": (
        kept_in_half,
        sized("C order", "int64", (4097, 3), (2049, 2), (2050, 2)),
        "N/(N rounded to float16) times what it should be",
    ),
    "wrong only where N is not exact in bfloat16": (
        lambda x, y: losses_of(x, y, x.dtype.type(len(y) / np.float64(np.array(len(y)).astype("bfloat16")))),
        sized("C order", "int64", (257, 2), (514, 3)),
        "the loss is N/(N rounded to bfloat16) times what it should be",
    ),
    "wrong only where the batch has 40000 rows or more (right up to 39999)": (
        in_rows(lambda x, y: len(y) >= 40000, lambda g: 0 * g),
        sized("C order", "int64", (65536, 2), (65535, 3)),
        "the gradient is 0",
    ),
    "wrong only where N K is 30002 or more (right up to 30000)": (  # one row alone would be right, whatever N K is
        lambda x, y: losses_of(x, y, x.dtype.type(len(y) if x.size > 30000 else 1)),
        sized("C order", "uint16", (8, 4097), (503, 64)),
        "the loss is N times what it should be",
    ),
    "wrong only where the batch has 24 rows or more (right up to 23) and there are 500 classes": (
        lambda x, y: losses_of(x, y, x.dtype.type(0.97 if len(y) >= 24 and x.shape[1] == 500 else 1)),
        sized("C order", "int64", (48, 500)),
        "the loss is 0.97 times what it should be",
    ),
    "wrong only where N is 3 K": (
        in_rows(lambda x, y: len(y) == 3 * x.shape[1], np.negative),
        sized("C order", "int64", (6, 2), (9, 3), (30, 10)),
        "has the wrong sign",
    ),
    "wrong only where the batch has 48 rows and there are 700 classes": (
        in_rows(lambda x, y: x.shape == (48, 700), np.negative),
        sized("C order", "int64", (48, 700)),
        "has the wrong sign",
    ),
    "wrong only where the batch has 33 rows and there are 17 classes": (
        in_rows(lambda x, y: x.shape == (33, 17)),
        sized("C order", "int64", (33, 17)),
        "1.01 times what it should be",
    ),
}


@pytest.mark.parametrize("where", every(6, AMONG_SIZES, AMONG_SIZES))
def test_what_a_run_finds_among_sizes_is_described(where: str) -> None:
    function, more, what = AMONG_SIZES[where]
    implementation = Implementation("anonymous", function, CLAIMS)
    asked = [*more, *problems(CLAIMS)]
    found = localise(implementation, asked, {"answer_is_right_at_this_size"}, partial(may_be_asked, CLAIMS))
    assert found is not None
    assert found.where == where
    assert what in found.what


def ignoring(which: Callable[[Array, int, int], Array]) -> Callable[..., Any]:
    """A function that ignores the rows that `which` tells by labels, ignore_index and the number of classes."""

    def wrong(x: Array, y: Array, ignore_index: int | None = None) -> Any:
        if ignore_index is None:
            return right(x, y)
        ignored = which(y, ignore_index, x.shape[1])
        losses, g, _ = parts(x, np.where((y < 0) | (y >= x.shape[1]), 0, y))
        n = x.dtype.type((~ignored).sum())
        with np.errstate(all="ignore"):
            return np.where(ignored, 0, losses).sum() / n, np.where(ignored[:, None], 0, g) / max(n, 1)

    return wrong


IGNORING = {
    "wrong only where the label is ignore_index modulo 2^16, but not ignore_index itself": ignoring(
        lambda y, ignored, _: (y - ignored) % 2**16 == 0
    ),
    "wrong only where the label is ignore_index + K": ignoring(
        lambda y, ignored, k: (y == ignored) | (y == ignored + k)
    ),
    "wrong only where ignore_index is a class": ignoring(lambda y, ignored, k: (y == ignored) & (not 0 <= ignored < k)),
}


@pytest.mark.parametrize("where", every(6, IGNORING, IGNORING))
def test_labels_that_are_taken_for_the_one_to_be_ignored_are_described(where: str) -> None:
    claims = claims_from({"dtypes": "float64", "options": ["ignore_index"]})
    implementation = Implementation("anonymous", IGNORING[where], claims)
    found = localise(implementation, ignored_problems(claims), (), partial(may_be_asked, claims))
    assert found is not None
    assert found.where == where


def weighted(x: Array, y: Array, class_weights: Any = None) -> Any:
    """The gradient is divided by the number of rows, not by the sum of their weights."""
    losses, g, _ = parts(x, y)
    w = np.ones(len(y)) if class_weights is None else np.asarray(class_weights)[y]
    with np.errstate(all="ignore"):
        return (w * losses).sum() / w.sum(), w[:, None] * g / len(y)


def kept_and_all(x: Array, y: Array, ignore_index: int | None = None) -> Any:
    """The loss is a mean over all rows, those that are ignored too."""
    ignored = np.zeros(len(y), dtype=bool) if ignore_index is None else y == ignore_index
    losses, g, _ = parts(np.where(ignored[:, None], 0, x), np.where(ignored, 0, y))
    kept = x.dtype.type((~ignored).sum())
    with np.errstate(all="ignore"):
        loss = np.where(ignored, 0, losses).sum() / (x.dtype.type(len(y)) if kept else kept)
        return loss, np.where(ignored[:, None], 0, g) / max(kept, 1)


def over_the_largest_weight(x: Array, y: Array, class_weights: Any = None) -> Any:
    """The loss is divided by the largest class weight, too."""
    losses, g, _ = parts(x, y)
    w = np.ones(len(y)) if class_weights is None else np.asarray(class_weights)[y]
    most = 1 if class_weights is None else np.max(class_weights)
    with np.errstate(all="ignore"):
        return (w * losses).sum() / w.sum() / most, w[:, None] * g / w.sum()


def weight_of_the_best(x: Array, y: Array, class_weights: Any = None) -> Any:
    """The gradient of a row has the weight of the class whose logit is the largest."""
    losses, g, _ = parts(x, y)
    weights = np.ones(x.shape[1]) if class_weights is None else np.asarray(class_weights)
    with np.errstate(all="ignore"):
        total = weights[y].sum()
        return (weights[y] * losses).sum() / total, weights[x.argmax(axis=1)][:, None] * g / total


OVER_ANOTHER_SUM = {
    "the loss is 1/(the largest class weight) times what it should be": (over_the_largest_weight, "class_weights"),
    "the gradient of a row has the weight of the class of the largest logit": (weight_of_the_best, "class_weights"),
    "the gradient is (the sum of the weights of the rows)/N times what it should be": (weighted, "class_weights"),
    "the loss is (the number of rows that are not ignored)/N times what it should be": (kept_and_all, "ignore_index"),
}


@pytest.mark.parametrize("what", every(3, OVER_ANOTHER_SUM, OVER_ANOTHER_SUM))
def test_a_mean_over_another_sum_is_described(what: str) -> None:
    function, option = OVER_ANOTHER_SUM[what]
    claims = claims_from({"dtypes": "float64", "options": [option]})
    asked = problems(claims)
    found = localise(Implementation("anonymous", function, claims), asked, (), partial(may_be_asked, claims))
    assert found is not None
    assert what in found.what
    assert option in found.where or "ignored" in found.where


def test_rows_that_are_right_are_not_said_to_be_wrong() -> None:
    """Only the last row of a long batch is wrong, which is not the same as every row from there on."""
    function = in_rows(lambda x, y: (np.arange(len(y)) == len(y) - 1) & (len(y) > 80), np.negative)
    found = described(function)
    assert found is not None
    assert "the row's number" not in found.where or "the row is the last" in found.where


def test_a_loss_that_is_another_one_every_time_is_said() -> None:
    before = [0.0]

    def smoothed(x: Array, y: Array) -> Any:
        loss, g = right(x, y)
        before[0] = 0.75 * before[0] + 0.25 * float(loss) if np.isfinite(before[0] + float(loss)) else 1.0
        return x.dtype.type(before[0]), g

    found = described(smoothed, "same_call_gives_same_bits")
    assert found is not None
    assert found.where == "the same call gives another loss every time"


def test_a_few_entries_that_are_left_out_by_chance_are_said_to_change_every_time() -> None:
    chance = np.random.default_rng(5)

    def some_left_out(x: Array, y: Array) -> Any:
        loss, g = right(x, y)
        g[chance.random(g.shape) < 0.03] = 0
        return loss, g

    found = described(some_left_out, "same_call_gives_same_bits")
    assert found is not None
    assert found.where.startswith("the same call gives another gradient every time, with ")


def test_labels_of_an_earlier_call_are_recognised() -> None:
    kept: dict[Any, Array] = {}

    def of_the_first(x: Array, y: Array) -> Any:
        return right(x, kept.setdefault(x.shape, y.copy()))

    found = described(of_the_first)
    assert found is not None
    assert found.where == "a call is answered as if it had the labels of an earlier one with the same shape"


def test_what_every_call_leaves_changed_is_said() -> None:
    def draws(x: Array, y: Array) -> Any:
        np.random.uniform(size=3)  # the mistake
        return right(x, y)

    found = described(draws, "leaves_the_process_as_it_was")
    assert found is not None
    assert found.where == "after every call numbers have been drawn from NumPy's global generator"
    assert found.n_foretold == found.n_fresh >= 6


def ignored_problems(claims: Claims) -> list[Problem]:
    """The problems of a run, and some with labels to be ignored that other labels may be taken for."""
    rng = np.random.default_rng(3)
    values = (-1, -5, 2**16 + 1, 2**16 + 2, 2**32, 3)
    more = [
        Problem(rng.uniform(-1, 1, (6, 5)), np.array([0, 1, 2, 3, 4, value]), Objective(ignore_index=value))
        for value in values
    ]
    return [*problems(claims), *more]


def test_calls_that_were_right_earlier_in_the_run_are_recognised() -> None:
    calls = iter(range(1_000_000))

    def tires(x: Array, y: Array) -> Any:
        loss, g = right(x, y)
        return loss, g * x.dtype.type(3 if next(calls) >= 100 else 1)

    found = described(tires)
    assert found is not None
    assert found.where.startswith("calls go wrong from some number of calls on")
    assert found.n_foretold == found.n_fresh >= 6


def test_losses_alone_that_were_right_earlier_in_the_run_are_recognised() -> None:
    calls = iter(range(1_000_000))

    def halves(x: Array, y: Array) -> Any:
        return losses_of(x, y, x.dtype.type(0.5 if next(calls) >= 120 else 1))

    found = described(halves)
    assert found is not None
    assert found.where.startswith("calls go wrong from some number of calls on")


@dataclass(eq=False)
class Remembers:
    """Triples the gradient of a call where the last calls, so many of them, had the same of something as this one."""

    of_call: Callable[[Array, Array], Any]
    n_before: int = 1
    last: Any = None
    n_same: int = 0

    def __call__(self, x: Array, y: Array) -> Any:
        now = self.of_call(x, y)
        self.n_same = self.n_same + 1 if now == self.last else 0
        self.last = now
        loss, g = right(x, y)
        return loss, g * x.dtype.type(3 if self.n_same >= self.n_before else 1)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (Remembers(lambda x, y: (len(y) > 3, y.tobytes())), "the same labels as the call before"),
        (Remembers(lambda x, y: x.tobytes()), "the same logits as the call before"),
        (Remembers(lambda x, y: (x.tobytes(), y.tobytes()), 2), "the same arguments as the 2 calls before"),
        (Remembers(lambda x, y: x.shape, 30), "the same shape as the 30 calls before"),
    ],
)
def test_calls_that_are_wrong_by_what_the_calls_before_had_are_told_from_calls_by_number(
    function: Remembers, said: str
) -> None:
    found = described(function, "same_call_gives_same_bits")
    assert found is not None
    assert found.where == f"a call with {said} is wrong, and right after a call of another shape"
    assert found.n_foretold == found.n_fresh >= 6


def test_a_call_that_is_wrong_every_second_time_for_its_arguments_is_not_wrong_whatever_is_asked() -> None:
    kept: dict[bytes, int] = {}

    def every_second_time(x: Array, y: Array) -> Any:
        key = x.tobytes() + y.tobytes()
        kept[key] = kept.get(key, 0) + 1
        loss, g = right(x, y)
        return loss, g * x.dtype.type(3 if kept[key] % 2 == 0 else 1)

    found = described(every_second_time)
    assert found is None or "whatever" not in found.where


def test_a_sum_of_many_losses_may_overflow_in_a_batch_of_few_different_rows() -> None:
    rows = np.array([[0.0, 1e308], [1.0, 0.0]])
    problem = Problem(rows[np.arange(6000) % 2], np.zeros(6000, dtype=np.int64), Objective(reduction="mean"))
    outcome = outcome_of(Trial(problem), evaluate(Implementation("sound", right, CLAIMS), problem))
    assert np.isinf(outcome.seen.loss)
    assert not outcome.wrong_loss


def test_a_failing_problem_of_repeated_calls_is_no_spelling() -> None:
    asked = [repeated_problem((5, 7), "float64", Objective()), *problems(CLAIMS)]
    implementation = Implementation("anonymous", MISTAKES["last_class"].function, CLAIMS)
    found = localise(implementation, asked, (), partial(may_be_asked, CLAIMS))
    assert found is not None
    assert found.where == MISTAKES["last_class"].where
