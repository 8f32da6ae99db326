"""A report whose names and messages try to be markup, script, or very wide."""

from __future__ import annotations

import copy
from typing import Any

SCRIPT = "</script></style></title><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
WIDE = "w" * 200
TEXT = f"{SCRIPT} {{{{ 7 * 7 }}}} ' onfocus=window.hacked=1 autofocus \" \u202e \x1b[31m | ]]> {WIDE}"


def hostile(report: dict[str, Any]) -> dict[str, Any]:
    """The report with this text in the place of every text that code under test can have a say in."""
    found = copy.deepcopy(report)
    for entry in found["implementations"]:
        old, entry["name"], entry["target"] = entry["name"], TEXT, TEXT
        entry["place"] = {"file": TEXT, "line": 1}
        for measured in found["timing"]["measurements"]:
            measured["implementation"] = TEXT if measured["implementation"] == old else measured["implementation"]
        for result in entry["results"]:
            for one in filter(None, (result, result["simplest"])):
                one.update(where=TEXT, observed=TEXT, expected=TEXT, source=TEXT)
            if result["simplest"]:
                result["simplest"]["code"] = [TEXT]
        if entry["diagnosis"]:
            entry["diagnosis"]["among"] = TEXT
        entry["cut_short"] = TEXT
    found["not_checked"] = [{"name": TEXT, "target": TEXT, "reason": TEXT}]
    return found
