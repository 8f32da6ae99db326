"""Conformance profiles for people and as JSON: which rule is followed in every disputed case."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from gradlab.campaigns.conformance.document import encode_cases, encode_profile
from gradlab.campaigns.conformance.profile import Followed, Profile
from gradlab.cases.cases import encode_claims
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.text import code_span
from gradlab.storage.encoding import Plain

SCHEMA = "gradlab-conformance-1"


@dataclass(frozen=True)
class Row:
    """One line of the table: a case, the rule that is followed, where not all dtypes follow it in which, and words."""

    case: str
    rule: str
    as_ruled: bool
    dtypes: str
    says: str


@dataclass(frozen=True)
class Conformance:
    """What the profiles of one implementation come to, as plain data that may come from another process.

    entry: of the document. cut_short: why not all was asked, or "".
    """

    name: str
    dtypes: tuple[str, ...]
    rows: tuple[Row, ...]
    entry: Plain
    cut_short: str = ""


def conformance_of(implementation: Implementation, profiles: Mapping[str, Profile]) -> Conformance:
    """What profiles, by dtype, come to."""
    entry = {
        "name": implementation.name,
        "target": implementation.target,
        "claims": encode_claims(implementation.claims),
        "profiles": {dtype: encode_profile(profile) for dtype, profile in profiles.items()},
    }
    return Conformance(implementation.name, tuple(profiles), tuple(_rows(profiles)), entry)


def conformance_document(found: Sequence[Conformance]) -> Plain:
    """Everything as plain data; the same for the same versions and machine."""
    return {
        "schema": SCHEMA,
        "gradlab": version("gradlab-verify"),
        "cases": encode_cases(),
        "implementations": [one.entry for one in found],
    }


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    path = Path(__file__).with_name("schema.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def profile_table(one: Conformance) -> Table:
    """One row for each case; two and more where the dtypes differ."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for heading in ("case", "rule", "dtype", "in words"):
        table.add_column(heading, no_wrap=True)
    for row in one.rows:
        table.add_row(row.case, Text(row.rule, style="" if row.as_ruled else "bold"), row.dtypes, Text(row.says))
    return table


def case_lines(cases: Plain, columns: Mapping[str, Plain]) -> Iterator[str]:
    """A Markdown table of encoded profiles, one column each; **bold** where the rule is not gradlab's."""
    yield f"| {' | '.join(['case', *map(code_span, columns)])} |"
    yield "|" + "---|" * (1 + len(columns))
    for name in cases:
        yield f"| {' | '.join([name, *(_cell(profile.get(name)) for profile in columns.values())])} |"


def rule_lines(cases: Plain) -> Iterator[str]:
    """The cases and their rules as a Markdown list; gradlab's own rules are in bold."""
    for name, case in cases.items():
        yield f"- `{name}`. {case['question']}:"
        for rule in case["rules"]:
            shown = f"**{rule['name']}**" if rule["ours"] else rule["name"]
            yield f"  - {shown}: {rule['says']}" + (f" ({rule['followed_by']})" if rule["followed_by"] else "")


def _rows(profiles: Mapping[str, Profile]) -> Iterator[Row]:
    for name in next(iter(profiles.values())):
        for dtypes, followed in _alike({dtype: profile[name] for dtype, profile in profiles.items()}):
            shown = "" if len(dtypes) == len(profiles) else ", ".join(dtypes)
            yield Row(name, followed.name, followed.as_ruled, shown, followed.says)


def _alike(by_dtype: Mapping[str, Followed]) -> list[tuple[list[str], Followed]]:
    """The dtypes in which the same is followed, together."""
    groups: dict[str, tuple[list[str], Followed]] = {}
    for dtype, followed in by_dtype.items():
        groups.setdefault(followed.name, ([], followed))[0].append(dtype)
    return list(groups.values())


def _cell(one: Plain | None) -> str:
    if one is None or one["not_claimed"]:
        return "-"
    shown = " or ".join(one["rules"]) or _escape(f"another rule: {one['seen']}")
    return shown if one["as_ruled"] else f"**{shown}**"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("`", "\\`")
