"""Loading: what each form of target stands for, what it claims, and each way in which it fails, in one line."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.claims import Claims, implementation
from gradlab.targets import load as load_module
from gradlab.targets.in_scope import load_in_scope
from gradlab.targets.load import TargetError, implementation_of, load

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")

PLAIN = "def loss(logits, labels):\n    return 0.0, logits\n"
MARKED = "import gradlab\n\n@gradlab.implementation(reduction='sum')\n" + PLAIN


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(target: str, **claims: Any) -> list[str]:
    return [one.name for one in load(target, claims)]


def message(target: str, **claims: Any) -> str:
    with pytest.raises(TargetError) as caught:
        load(target, claims)
    return str(caught.value)


def test_a_callable_in_a_file() -> None:
    write("a.py", PLAIN)
    (found,) = load("a.py:loss", {})
    assert (found.name, found.target, found.claims) == ("loss", "a.py:loss", Claims())


def test_an_attribute_path() -> None:
    write("a.py", "class Loss:\n    @staticmethod\n    def mean(logits, labels): ...\n")
    assert names("a.py:Loss.mean") == ["mean"]


def test_a_callable_in_a_module_of_the_current_folder() -> None:
    write("pack/__init__.py", "")
    write("pack/losses.py", "from . import inner\n" + PLAIN)
    write("pack/inner.py", "")
    (found,) = load("pack.losses:loss", {})
    assert found.target == "pack.losses:loss"


def test_a_file_offers_what_it_lists() -> None:
    write("a.py", "__all__ = ['loss', 'N', 'Kind']\nN = 3\nclass Kind: ...\ndef other(x): ...\n" + PLAIN)
    assert names("a.py") == ["loss"]


def test_a_file_offers_what_it_marks_and_what_it_lists_but_no_helper() -> None:
    other = "def other(logits, labels): ...\ndef helper(x): ...\n"
    write("a.py", MARKED + "\n__all__ = ['other', 'loss', 'helper']\n" + other)
    assert names("a.py") == ["loss", "other"]


def test_a_function_marked_elsewhere_and_imported_is_not_offered_twice() -> None:
    write("a.py", MARKED)
    write("b.py", "from a import loss as theirs\n" + MARKED)
    assert [one.target for one in load(".", {})] == ["a.py:loss", "b.py:loss"]


def test_a_folder_offers_what_its_files_offer() -> None:
    write("f/a.py", MARKED)
    write("f/deep/b.py", "__all__ = ['loss']\n" + PLAIN)
    write("f/plain.py", "raise RuntimeError('not imported: it offers nothing')")
    write("f/_private.py", MARKED)
    write("f/.hidden/c.py", MARKED)
    assert [one.target for one in load("f", {})] == ["f/a.py:loss", "f/deep/b.py:loss"]


def test_a_folder_may_be_written_with_a_slash() -> None:
    write("f/a.py", MARKED)
    assert names("f/") == ["loss"]


@pytest.mark.parametrize("name", ["shifted", "log_space", "textbook"])
def test_the_name_of_what_ships(name: str) -> None:
    (found,) = load(name, {})
    assert (found.name, found.target) == (name, name)


def test_what_ships_comes_before_a_folder_of_the_same_name() -> None:
    write("shifted/a.py", MARKED)
    assert names("shifted") == ["shifted"]
    assert names("./shifted") == ["loss"]


@pytest.fixture
def entry_point(in_an_empty_folder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point `theirs` that leads to pack.losses:loss, and one `broken` that names only a module."""
    write("pack_of_entry/__init__.py", PLAIN)
    entries = [
        EntryPoint("theirs", "pack_of_entry:loss", load_module.GROUP),
        EntryPoint("broken", "pack_of_entry", load_module.GROUP),
    ]
    monkeypatch.setattr(load_module, "entry_points", lambda group: [one for one in entries if one.group == group])


@pytest.mark.usefixtures("entry_point")
def test_the_name_of_an_entry_point() -> None:
    (found,) = load("theirs", {})
    assert (found.name, found.target) == ("theirs", "theirs")


@pytest.mark.usefixtures("entry_point")
def test_an_entry_point_must_name_a_callable() -> None:
    assert message("broken") == "entry point broken must be written module:callable, is 'pack_of_entry'"


def test_a_file_in_a_package_uses_relative_imports() -> None:
    write("pack/__init__.py", "")
    write("pack/inner.py", "VALUE = 7\n")
    write("pack/deep/__init__.py", "")
    write("pack/deep/a.py", "from ..inner import VALUE\n__all__ = ['loss']\n" + PLAIN)
    assert names("pack/deep/a.py") == ["loss"]


def test_packages_of_one_name_in_two_folders_both_load() -> None:
    for folder, value in (("one", 1), ("two", 2)):
        write(f"{folder}/pack/__init__.py", "")
        write(f"{folder}/pack/inner.py", f"VALUE = {value}\n")
        write(f"{folder}/pack/a.py", "from .inner import VALUE\ndef loss(logits, labels): return VALUE\n")
    values = [load(f"{folder}/pack/a.py:loss", {})[0].function(None, None) for folder in ("one", "two", "one")]
    assert values == [1, 2, 1]


def test_a_package_named_like_a_standard_module_loads_and_leaves_that_alone() -> None:
    write("json/__init__.py", "")
    write("json/a.py", "__all__ = ['loss']\n" + PLAIN)
    assert names("json/a.py") == ["loss"]
    assert not hasattr(sys.modules["json"], "a")


def test_files_and_helpers_of_one_name_in_two_folders_do_not_mix() -> None:
    for folder, value in (("one", 1), ("two", 2)):
        write(f"{folder}/helper_of_loss.py", f"VALUE = {value}\n")
        write(f"{folder}/a.py", "from helper_of_loss import VALUE\ndef loss(logits, labels): return VALUE\n")
    values = [load(f"{folder}/a.py:loss", {})[0].function(None, None) for folder in ("one", "two", "one")]
    assert values == [1, 2, 1]


def test_helper_packages_of_one_name_in_two_folders_do_not_mix() -> None:
    for folder, value in (("one", 1), ("two", 2)):
        write(f"{folder}/helpers_of_loss/__init__.py", "")
        write(f"{folder}/helpers_of_loss/inner.py", f"VALUE = {value}\n")
        write(f"{folder}/a.py", "from helpers_of_loss.inner import VALUE\ndef loss(x, y): return VALUE\n")
    values = [load(f"{folder}/a.py:loss", {})[0].function(None, None) for folder in ("one", "two", "one")]
    assert values == [1, 2, 1]


def test_a_neighbour_can_still_be_imported_when_the_function_is_called() -> None:
    write("one/late_helper.py", "VALUE = 5\n")
    write("one/a.py", "def loss(logits, labels):\n    import late_helper\n    return late_helper.VALUE\n")
    (found,) = load("one/a.py:loss", {})
    assert found.function(None, None) == 5


def test_loading_puts_no_folder_before_those_on_the_path() -> None:
    before = list(sys.path)
    write("one/a.py", MARKED)
    load("one/a.py", {})
    assert sys.path[: len(before)] == before


@pytest.mark.parametrize("target", ["torch_loss.py:other", "torch_loss:other"])
def test_a_file_named_like_a_prefix_is_not_taken_for_one(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch_loss.py").write_text("def found(logits, labels): ...")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TargetError, match=r"has no 'other'$"):
        load(target, {})


def test_a_file_that_was_changed_is_loaded_anew() -> None:
    write("a.py", "def loss(logits, labels): return 1\n")
    load("a.py:loss", {})
    write("a.py", "def loss(logits, labels): return 2\n")
    assert load("a.py:loss", {})[0].function(None, None) == 2


def test_what_a_file_prints_and_warns_at_import_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    write("a.py", "import warnings\nprint('hello')\nwarnings.warn('careful')\n" + PLAIN)
    assert names("a.py:loss") == ["loss"]
    assert capsys.readouterr() == ("", "")


def test_numpy_error_state_set_at_import_is_undone() -> None:
    before = np.geterr()
    write("a.py", "import numpy\nnumpy.seterr(all='raise')\n" + PLAIN)
    load("a.py:loss", {})
    assert np.geterr() == before


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("nope.py", "nope.py does not exist"),
        ("nope.py:loss", "nope.py does not exist"),
        ("folder/nope/", "folder/nope/ does not exist"),
        ("nope:loss", "nope does not exist: there is no module named 'nope'"),
        ("json.nope:loss", "json.nope does not exist: there is no module named 'json.nope'"),
        ("", "a target must not be empty"),
        ("torhc:", "torhc: is no file, folder, shipped implementation or entry point; did you mean torch:?"),
        ("torhc:cross_entropy", "torhc does not exist: there is no module named 'torhc'; did you mean torch:?"),
        ("torch:", "torch: must be followed by what it adapts, as torch:NAME"),
        ("jax", "jax must be followed by what it adapts, as jax:NAME"),
        ("shiftd", "shiftd is no file, folder, shipped implementation or entry point; did you mean shifted?"),
        (
            "no_such",
            "no_such is no file, folder, shipped implementation or entry point;"
            " a function of a module is written module:function",
        ),
        ("json:lods", "json has no 'lods'; did you mean loads or load?"),
        ("math:pi", "math:pi is not callable, it is of type float"),
        ("1x:loss", "1x:loss: '1x' is no name of a module, and no path of a Python file"),
        ("x" * 5000, "x" * 5000 + " is no file, folder, shipped implementation or entry point;"
         " a function of a module is written module:function"),
    ],
)  # fmt: skip
def test_a_target_that_is_not_there(target: str, reason: str) -> None:
    assert message(target) == reason


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_thing\n", "a.py does not import: ModuleNotFoundError: No module named 'no_such_thing' (a.py,"
         " line 1)"),
        ("\nx = 1 / 0\n", "a.py does not import: ZeroDivisionError: division by zero (a.py, line 2)"),
        ("def f(:\n", "a.py does not import: SyntaxError: invalid syntax (a.py, line 1)"),
        ("import sys\nsys.exit(3)\n", "a.py does not import: it exits with status 3 (a.py, line 2)"),
        ("raise BaseException('first\\nsecond')", "a.py does not import: BaseException: first second (a.py, line 1)"),
        ("raise ValueError\n", "a.py does not import: ValueError (a.py, line 1)"),
        ("x = '\0'", "a.py does not import: SyntaxError: source code string cannot contain null bytes"),
        ("loss = 3\n", "a.py:loss is not callable, it is of type int"),
        ("loss = None\n", "a.py:loss is not callable, it is of type NoneType"),
        ("def lose(logits, labels): ...\n", "a.py has no 'loss'; did you mean lose?"),
        ("def loss(logits): ...\n", "a.py:loss must be callable as (logits, labels); its signature is (logits): too"
         " many positional arguments"),
        ("def loss(a, b, c): ...\n", "a.py:loss must be callable as (logits, labels); its signature is (a, b, c):"
         " missing a required argument: 'c'"),
        (PLAIN + "CLAIMS = {'fast': True}\n", "a.py:loss: a claim must be one of"),
        (PLAIN + "CLAIMS = {'dtypes': 'int8'}\n", "a.py:loss: claim dtypes must be of float16, bfloat16, float32,"
         " float64, got 'int8'"),
        (PLAIN + "CLAIMS = [1]\n", "a.py:loss: CLAIMS must be a mapping, got list"),
        (PLAIN + "CLAIMS = {'dtypes': 3}\n", "a.py:loss: "),
        (PLAIN + "CLAIMS = {'options': 'ignore_index'}\n", "a.py:loss claims ignore_index, so it must take the keyword"
         " ignore_index; its signature is (logits, labels)"),
        (PLAIN + "CLAIMS = {'reduction': ['sum', 'mean']}\n", "a.py:loss claims reduction, so it must take the"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_do(source: str, reason: str) -> None:
    write("a.py", source)
    said = message("a.py:loss")
    assert said.startswith(reason)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("a.py", PLAIN, "a.py has nothing to check: mark functions with @gradlab.implementation, list them in __all__,"
         " or write a.py:function"),
        ("a.py", "__all__ = 7", "a.py: __all__ must be a list of names, is of type int"),
        ("a.py", "__all__ = ['loss']", "a.py has no 'loss'"),
        ("f", PLAIN, "f has nothing to check: none of its *.py files marks a function or has an __all__"),
        ("a.txt", PLAIN, "a.txt must be a Python file, named *.py"),
    ],
)  # fmt: skip
def test_a_file_or_folder_that_offers_nothing(name: str, source: str, reason: str) -> None:
    write(name if "." in name else f"{name}/a.py", source)
    assert message(name) == reason


def test_the_line_named_is_that_of_the_innermost_file() -> None:
    write("inner_with_error.py", "\n\nraise KeyError('x')\n")
    write("a.py", "import inner_with_error\n")
    assert message("a.py:loss") == "a.py does not import: KeyError: 'x' (inner_with_error.py, line 3)"


def test_an_interrupt_during_import_passes() -> None:
    write("a.py", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load("a.py:loss", {})


def test_a_failed_import_leaves_no_module_behind() -> None:
    write("a.py", "raise ValueError\n")
    before = set(sys.modules)
    message("a.py:loss")
    assert set(sys.modules) == before


def claims_of(source: str, **given: Any) -> Claims:
    write("a.py", source)
    return load("a.py:loss", given)[0].claims


def test_claims_of_the_module() -> None:
    assert claims_of(PLAIN + "CLAIMS = {'reduction': 'sum'}").reduction == ("sum",)


def test_claims_by_the_function_name() -> None:
    source = PLAIN + "other = loss\nCLAIMS = {'loss': {'reduction': 'none'}, 'other': {'reduction': 'sum'}}"
    assert claims_of(source).reduction == ("none",)


def test_a_function_without_claims_of_its_own_beside_others_has_the_defaults() -> None:
    assert claims_of(PLAIN + "other = loss\nCLAIMS = {'other': {'reduction': 'sum'}}") == Claims()


def test_claims_for_a_name_that_is_not_there_are_a_mistake() -> None:
    with pytest.raises(TargetError, match="CLAIMS names lossy, and there is nothing of that name beside it"):
        claims_of(PLAIN + "CLAIMS = {'loss': {}, 'lossy': {'reduction': 'sum'}}")


def test_the_decorator_goes_before_the_module() -> None:
    assert claims_of(MARKED + "CLAIMS = {'reduction': 'none', 'masks': False}") == Claims(reduction=("sum",))


def test_the_caller_goes_before_the_decorator() -> None:
    assert claims_of(MARKED, reduction="none", masks=False) == Claims(reduction=("none",), masks=False)


def test_dtypes_are_claimed_for_a_function_that_says_nothing_of_them() -> None:
    write("a.py", PLAIN)
    assert load("a.py:loss", {}, ["bfloat16"])[0].claims.dtypes == ("bfloat16",)


def test_dtypes_that_a_function_claims_are_left_alone() -> None:
    write("a.py", PLAIN + "CLAIMS = {'dtypes': 'float32'}")
    assert load("a.py:loss", {}, ["bfloat16"])[0].claims.dtypes == ("float32",)


def decorated(logits: Any, labels: Any) -> Any:
    """A function of this module, which is found again by its name only when it is imported by it."""


def test_a_callable_has_its_name_and_its_claims() -> None:
    @implementation(reduction="sum")
    def local(logits: Any, labels: Any) -> Any: ...

    found = implementation_of(local, {"masks": False})
    assert (found.name, found.target, found.claims) == ("local", "", Claims(reduction=("sum",), masks=False))


def test_a_callable_of_a_module_can_be_loaded_again() -> None:
    from gradlab.implementations.shifted import shifted

    target = implementation_of(shifted, {}).target
    assert load(target, {})[0].function is shifted


def test_a_callable_object_is_named_by_its_class() -> None:
    class Loss:
        def __call__(self, logits: Any, labels: Any) -> Any: ...

    assert implementation_of(Loss(), {}).name == "Loss"


def test_a_partial_function_that_a_file_marks_is_offered() -> None:
    source = PLAIN.replace("def loss", "def of_any")
    source += "import functools, gradlab\nmine = functools.partial(of_any)\ngradlab.implementation(masks=False)(mine)\n"
    write("marked.py", source)
    assert [one.name for one in load("marked.py", {})] == ["mine"]


def test_the_only_rule_of_the_mean_is_told_to_a_function_with_another_default() -> None:
    (found,) = load("every_option", {"options": ["sample_weights"], "mean_over": ["all_rows"]})
    logits, labels = np.zeros((2, 2)), np.array([0, 1])
    weighted, _ = found.function(logits, labels, sample_weights=np.array([1.0, 3.0]))
    assert float(weighted) == pytest.approx(2 * np.log(2))  # over 2 rows, not over a weight of 4


def test_a_trainer_is_sent_to_the_command_that_judges_it() -> None:
    with pytest.raises(TargetError, match=r"gradlab certify trainer:sgd\.py:train$"):
        load_in_scope("trainer:sgd.py:train", {})
