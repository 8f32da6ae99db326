"""The atlas as Markdown, from its document alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import Any

from gradlab.campaigns.atlas.document import MODERATE
from gradlab.campaigns.conformance.page import case_lines, rule_lines
from gradlab.evaluation.text import code_span, one_line
from gradlab.measure.accuracy import PARTS
from gradlab.storage.encoding import Plain

WORDS = {"loss": "loss", "target": "target's entry", "others": "other entries"}


def as_markdown(atlas: Plain, picture: str | None = None) -> str:
    """The whole page; picture: the file name of the picture, where there is one."""
    lines = [
        f"<!-- Written by `{one_line(atlas['command']).replace('-->', '-- >')}`; not to be edited. -->",
        "",
        "# Atlas of softmax cross-entropies",
        "",
        *_opening(atlas),
        *(["", f"![largest errors]({picture})"] if picture else []),
    ]
    for dtype in dtypes_of(atlas):
        lines += ["", f"## {dtype}", "", *_summary(atlas, dtype)]
        lines += ["", f"### Where implementations disagree, {dtype}", "", *_conformance(atlas, dtype)]
        lines += ["", f"### Family by family, {dtype}", "", *_families(atlas, dtype)]
        lines += ["", f"### The worst inputs, {dtype}", "", *_inputs(atlas, dtype)]
    lines += ["", "## The rules where implementations disagree", "", *rule_lines(atlas["cases"])]
    return "\n".join([*lines, "", "## The families", "", *_purposes(atlas)]) + "\n"


def dtypes_of(atlas: Plain) -> list[str]:
    """The dtypes of all charts, in the order in which they come up."""
    return list(dict.fromkeys(chart["dtype"] for entry in atlas["targets"] for chart in entry["charts"]))


def charts_of(atlas: Plain, dtype: str) -> list[tuple[Plain, Plain]]:
    """Every target that has a chart in a dtype, with that chart."""
    return [(entry, chart) for entry in atlas["targets"] for chart in entry["charts"] if chart["dtype"] == dtype]


def size_of(part: Plain) -> float:
    """The error in ULP of a part of an answer, inf where a value is missing."""
    return float(part["ulp"])


def worst_of(chart: Plain, part: str) -> tuple[Plain, Plain]:
    """The family with the largest error of a part in a chart, and that error."""
    family = max(chart["families"], key=lambda one: size_of(one["parts"][part]))
    return family, family["parts"][part]


def _opening(atlas: Plain) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in atlas["versions"].items())
    machine = atlas["machine"]
    yield (
        "Largest errors in units in the last place (ULP), measured against certified enclosures. All figures are"
        f" *searched*: the largest errors on the families of the {atlas['profile']} profile, with seeds"
        f" {atlas['seeds'][0]} to {atlas['seeds'][-1]}. `climbed` marks errors on rows that were changed towards larger"
        " errors. The true largest errors may be larger. Figures called *exhaustive* cover every float32 margin of two"
        " classes. An error is `inf` if exactly one of answer and exact value is finite. The figures repeat on the same"
        " machine with the same versions."
    )
    yield ""
    yield f"{versions}; Python {machine['python']}, {machine['processor']}."
    for one in atlas["missing"]:
        yield f"\nLeft out: {one_line(one['reason']).replace('<', chr(92) + '<')}."


def _summary(atlas: Plain, dtype: str) -> Iterator[str]:
    right = float.fromhex(atlas["vanishes_rightly"][dtype]) if dtype in atlas["vanishes_rightly"] else inf
    yield table_row(["target", "verdict", *WORDS.values(), "target's entry is 0 from", "what keeps it from `accurate`"])
    yield table_rule(7)
    for entry, chart in charts_of(atlas, dtype):
        errors = [_number(size_of(worst_of(chart, part)[1])) for part in PARTS]
        because = ", ".join(chart["failed"][:3]) + (", ..." if len(chart["failed"]) > 3 else "")
        yield table_row(
            [code_span(entry["target"]), chart["verdict"], *errors, _margin(chart["vanishes"]), because or "-"]
        )
    yield ""
    yield (
        "Verdict: on these problems, on those with -inf, +inf and NaN, and on those of the claimed options, without the"
        " problems that `gradlab check` also draws. Errors: on finite logits, of the mean loss and its gradient."
        " Target's entry: the smallest margin M at which it is exactly 0, for logits (M, 0) and label 0, found by"
        f" bisection and confirmed at its eight neighbours on either side; the exact entry rounds to 0 from {right:.6g}"
        " on."
    )
    yield from (f"\n{line}" for line in _exhaustive(atlas, dtype))


def _exhaustive(atlas: Plain, dtype: str) -> Iterator[str]:
    for entry in atlas["targets"]:
        found = entry["exhaustive"]
        if found and found["dtype"] == dtype:
            parts = [
                f"{WORDS[part]} {_number(size_of(one))} at M = {_hex(one['margin'])}, label {one['label']}"
                for part, one in found["parts"].items()
                if one is not None
            ]
            since = "" if found["current"] else " (its sources have changed since)"
            target = f"{code_span(entry['target'])}{since}"
            yield f"*Exhaustive*, {found['n_margins']:,} margins, {target}: {'; '.join(parts)}."


def _margin(vanishes: Plain) -> str:
    if vanishes["margin"] is None:
        return "nowhere"
    shown = f"{float.fromhex(vanishes['margin']):.6g} ({_hex(vanishes['margin'])})"
    return shown if vanishes["confirmed"] else f"{shown}, neighbours differ"


def _conformance(atlas: Plain, dtype: str) -> Iterator[str]:
    columns = {entry["target"]: chart["conformance"] for entry, chart in charts_of(atlas, dtype)}
    yield "The rules are below. **Bold**: not gradlab's own rule. -: the option is not claimed."
    yield ""
    yield from case_lines(atlas["cases"], columns)


def _families(atlas: Plain, dtype: str) -> Iterator[str]:
    charts = charts_of(atlas, dtype)
    yield f"{' / '.join(WORDS.values())}, largest error in ULP, *searched*."
    yield ""
    yield table_row(["family", *(code_span(entry["target"]) for entry, _ in charts)])
    yield table_rule(1 + len(charts))
    for name in atlas["families"]:
        yield table_row([name, *(_errors_in(chart, name) for _, chart in charts)])


def _errors_in(chart: Plain, name: str) -> str:
    found = [one["parts"] for one in chart["families"] if one["family"] == name]
    return " / ".join(_number(size_of(found[0][part])) for part in PARTS) if found else "-"


def _inputs(atlas: Plain, dtype: str) -> Iterator[str]:
    yield (
        "`name[i], seed s` is problem i of the family, `problems_in(family, format_of(dtype), s)[i]`; the JSON beside"
        " this page has the worst input for each family, in hexadecimal where it has at most"
        f" {MODERATE} logits."
    )
    yield ""
    yield table_row(["target", "part", "ULP", "problem", "logits and labels"])
    yield table_rule(5)
    for entry, chart in charts_of(atlas, dtype):
        for part in PARTS:
            family, worst = worst_of(chart, part)
            number = "" if worst["index"] is None else f"[{worst['index']}], seed {worst['seed']}"
            place = f"{family['family']}{number}"
            yield table_row([code_span(entry["target"]), WORDS[part], _number(size_of(worst)), place, _content(worst)])


def _content(worst: Plain) -> str:
    if worst["problem"] is None:
        return "-" if worst["shape"] is None else f"{worst['shape'][0]} x {worst['shape'][1]} logits"
    problem = worst["problem"]
    return f"`{_nested_text(problem['logits'])}`, {_nested_text(problem['targets'])}"


def _nested_text(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_nested_text, values))}]"
    return _hex(values) if isinstance(values, str) else str(values)


def _hex(text: str) -> str:
    """A number in hexadecimal without the zeros at its end."""
    digits, sign, exponent = text.partition("p")
    return digits.rstrip("0").removesuffix(".") + sign + exponent if sign and "." in digits else text


def _purposes(atlas: Plain) -> Iterator[str]:
    for name, purpose in atlas["families"].items():
        yield f"- `{name}`: {purpose}"


def _number(ulp: float) -> str:
    if ulp == inf:
        return "inf"
    return f"{ulp:.2f}" if ulp < 10 else f"{ulp:.3g}".replace("e+0", "e").replace("e+", "e")


def table_row(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def table_rule(n_columns: int) -> str:
    """The rule below the headings of a table."""
    return "|" + "---|" * n_columns
