"""A report as JUnit XML: a suite for each implementation and dtype, a case for each check."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gradlab.pages.matrix import is_held

Plain = Mapping[str, Any]
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_text(reports: Sequence[Plain]) -> str:
    """The XML of some reports."""
    root = Element("testsuites", name="gradlab")
    for report in reports:
        for entry in report["implementations"]:
            for dtype in entry["dtypes"]:
                root.append(_suite(entry, dtype))
        for one in report["not_checked"]:
            suite = SubElement(root, "testsuite", _attributes(name=one["name"], tests=1, failures=0, errors=1))
            case = SubElement(suite, "testcase", _attributes(classname=one["name"], name="is checked"))
            SubElement(case, "error", _attributes(message=one["reason"]))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(entry: Plain, dtype: str) -> Element:
    results = [one for one in entry["results"] if one["dtype"] == dtype]
    failed = [one for one in results if is_held(one, entry["level"])]
    name = f"{entry['name']} {dtype}"
    suite = Element("testsuite", _attributes(name=name, tests=len(results), failures=len(failed), errors=0))
    for one in results:
        where = f"gradlab.{entry['name']}.{dtype}"
        case = SubElement(suite, "testcase", _attributes(classname=where, name=one["check"]))
        if one["passed"]:
            continue
        said = sentence(one)
        if is_held(one, entry["level"]):
            SubElement(case, "failure", _attributes(message=said, type=one["verdict"])).text = _clean(_text(one))
        else:
            SubElement(case, "system-out").text = _clean(f"advice: {said}")
    return suite


def sentence(result: Plain) -> str:
    """What a check that failed saw on its simplest problem, in one line."""
    at = result["simplest"]
    is_exact = at["source"] == "exact"
    seen = f"{at['where']} {'' if is_exact else '= '}{at['observed']}"
    allowed = f" within {at['tolerance']:.3g}" if isinstance(at["tolerance"], float | int) else ""
    return seen + (f", must be {at['expected']}{allowed}" if at["expected"] else "")


def _text(result: Plain) -> str:
    at = result["simplest"]
    lines = [sentence(result), f"{result['n_failed']} of {result['n_problems']} problems fail"]
    lines += [f"bound: {at['source']}"] if at["source"] != "exact" else []
    lines += at.get("code") or []
    return "\n".join([*lines, *([f"gradlab replay {at['problem']['case']}"] if at["problem"]["case"] else [])])


def _attributes(**values: Any) -> dict[str, str]:
    return {name: _clean(str(value)) for name, value in values.items()}


def _clean(text: str) -> str:
    """The text with a sign in the place of each character that XML has no room for."""
    return _NOT_XML.sub("\ufffd", text)
