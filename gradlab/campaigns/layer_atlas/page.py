"""The atlas of layers as Markdown, from its document alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf

from gradlab.campaigns.atlas.page import charts_of, dtypes_of, table_row, table_rule
from gradlab.campaigns.conformance.document import encode_cases
from gradlab.campaigns.conformance.page import case_lines
from gradlab.evaluation.text import code_span, one_line
from gradlab.layer.problem import OUTPUTS
from gradlab.storage.encoding import Plain

SHOWN = 400  # characters of a finding


def as_markdown(atlas: Plain) -> str:
    """The whole page."""
    lines = [
        f"<!-- Written by `{one_line(atlas['command']).replace('-->', '-- >')}`; not to be edited. -->",
        "",
        "# Atlas of layers",
        "",
        *_opening(atlas),
    ]
    for dtype in dtypes_of(atlas):
        lines += ["", f"## {dtype}", "", *_summary(atlas, dtype)]
        lines += ["", f"### A confident head, {dtype}", "", *_margins(atlas, dtype)]
        lines += ["", f"### Family by family, {dtype}", "", *_families(atlas, dtype)]
        lines += ["", f"### The rules that are followed, {dtype}", "", *_rules(atlas, dtype)]
    lines += ["", "## The findings", "", *_findings(atlas)]
    lines += ["", "## The families", "", *(f"- `{name}`: {purpose}" for name, purpose in atlas["families"].items())]
    return "\n".join(lines) + "\n"


def _opening(atlas: Plain) -> Iterator[str]:
    machine = atlas["machine"]
    yield (
        "Layers of features X, weight W and bias b, each by its adapter ([layer.md](layer.md#how-a-layer-is-called)),"
        " measured against certified enclosures. An error is the largest of an output's entries over the largest entry"
        " of what is right: 1 is 100%, `inf` where a value is missing. All figures are"
        f" *searched*: the largest on the families of the {atlas['profile']} profile with seed"
        f" {atlas['seed']}. The figures repeat on the same machine with the same versions."
    )
    yield ""
    versions = ", ".join(f"{name} {version}" for name, version in atlas["versions"].items())
    yield f"{versions}; Python {machine['python']}, {machine['processor']}."


def _summary(atlas: Plain, dtype: str) -> Iterator[str]:
    yield table_row(["target", "verdict", *OUTPUTS, "what costs it"])
    yield table_rule(3 + len(OUTPUTS))
    for entry, chart in charts_of(atlas, dtype):
        because = ", ".join(chart["failed"][:3]) + (", ..." if len(chart["failed"]) > 3 else "")
        errors = [_worst(chart["families"].values(), name) for name in OUTPUTS]
        yield table_row([code_span(entry["target"]), chart["verdict"], *errors, because or "-"])
    for one in atlas["missing"]:
        reason = one_line(one["reason"]).removeprefix(f"{one['target']}: ").replace("<", "\\<").replace("|", "\\|")
        yield table_row([code_span(one["target"]), f"not measured: {reason}", *("-" for _ in OUTPUTS), "-"])
    yield ""
    yield "The verdict is that of `gradlab check` without drawn problems; the errors are the largest of all families."


def _margins(atlas: Plain, dtype: str) -> Iterator[str]:
    rows, features, classes = atlas["head"]
    yield (
        f"{rows} rows, {features} features, {classes} classes, no row wrong; a column for each median margin; "
        f"{' / '.join(OUTPUTS)}."
    )
    yield ""
    margins = [f"{margin:g}" for margin in atlas["margins"]]
    yield table_row(["target", *margins])
    yield table_rule(1 + len(margins))
    for entry, chart in charts_of(atlas, dtype):
        yield table_row([code_span(entry["target"]), *(_cell(chart["margins"].get(one)) for one in margins)])


def _families(atlas: Plain, dtype: str) -> Iterator[str]:
    charts = charts_of(atlas, dtype)
    yield f"{' / '.join(OUTPUTS)}, the largest error."
    yield ""
    yield table_row(["family", *(code_span(entry["target"]) for entry, _ in charts)])
    yield table_rule(1 + len(charts))
    for name in atlas["families"]:
        yield table_row([name, *(_cell(chart["families"].get(name)) for _, chart in charts)])


def _rules(atlas: Plain, dtype: str) -> Iterator[str]:
    charts = charts_of(atlas, dtype)
    yield (
        "As losses of logits, with the identity as the weight. **Bold**: not gradlab's own rule; -: not claimed. The"
        " rules are those of [atlas.md](atlas.md#the-rules-where-implementations-disagree)."
    )
    yield ""
    asked = {name for _, chart in charts for name in chart["rules"]}
    cases = {name: one for name, one in encode_cases().items() if name in asked}
    yield from case_lines(cases, {entry["target"]: chart["rules"] for entry, chart in charts})
    yield table_row(["penalty", *(_penalty(entry["claims"]) for entry, _ in charts)])


def _penalty(claims: Plain) -> str:
    layer = claims["layer"]
    if not any(one.partition("=")[0] == "l2" for one in layer["takes"]):
        return "-"
    return f"{layer['l2_form']}, {'with' if layer['l2_takes_bias'] else 'without'} the bias"


def _findings(atlas: Plain) -> Iterator[str]:
    yield (
        "What costs a target level `stable`, at most three of each dtype, and the rules that are not gradlab's. Each"
        " with lines that show it without gradlab, and what they print here."
    )
    for entry in atlas["targets"]:
        told: set[str] = set()
        for chart in entry["charts"]:
            for finding in [one for one in chart["findings"] if one["what"] not in told]:
                told.add(finding["what"])
                yield from _finding(entry["target"], chart["dtype"], finding)
    if not any(chart["findings"] for entry in atlas["targets"] for chart in entry["charts"]):
        yield "\nNone."


def _finding(target: str, dtype: str, finding: Plain) -> Iterator[str]:
    sentence = finding["sentence"].replace("`", "'").replace("<", "\\<")
    shown = sentence if len(sentence) <= SHOWN else f"{sentence[:SHOWN]}..."
    verdict = f" ({finding['verdict']})" if finding["verdict"] else ""
    yield f"\n**{code_span(target)}, {dtype}: {finding['what']}**{verdict}. {shown}"
    if finding["lines"]:
        yield "\n```text"  # five lines: a formatter of Python would make more of them
        yield from finding["lines"]
        yield f"# {finding['printed']}"
        yield "```"


def _worst(all_errors: Iterable[Plain], name: str) -> str:
    errors = [float(one[name]) for one in all_errors if name in one]
    return _number(max(errors)) if errors else "-"


def _cell(errors: Plain | None) -> str:
    if not errors:
        return "-"
    return " / ".join(_number(float(errors[name])) if name in errors else "-" for name in OUTPUTS)


def _number(error: float) -> str:
    return "inf" if error == inf else f"{error:.1e}" if error else "0"
