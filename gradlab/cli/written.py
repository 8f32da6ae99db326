"""The files that a report is written to beside its JSON, and the options that name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

_HELP = {
    "html": "Also write the report to FILE, as a page that opens in any browser.",
    "junit": "Also write it as JUnit XML, for what shows the results of tests.",
    "sarif": "Also write it as SARIF, for what shows findings at the line of the function.",
    "summary": "Also write it as Markdown, for $GITHUB_STEP_SUMMARY.",
}


@dataclass(frozen=True)
class Written:
    """The files to write; None for those that were not asked for."""

    html: Path | None = None
    junit: Path | None = None
    sarif: Path | None = None
    summary: Path | None = None

    def __bool__(self) -> bool:
        return any(True for _ in self.paths())

    def paths(self) -> Iterator[Path]:
        """Those that were asked for."""
        yield from (path for field in fields(self) if (path := getattr(self, field.name)) is not None)

    def below(self, folder: Path) -> Written:
        """The same files, by their paths from a folder."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: folder / path for name, path in given.items() if path is not None})

    def write(self, reports: Sequence[Mapping[str, Any]]) -> None:
        """Writes the files of some reports. Raises OutputError."""
        from gradlab.pages.junit import junit_text
        from gradlab.pages.page import report_page
        from gradlab.pages.sarif import sarif_text
        from gradlab.pages.summary import summary_text
        from gradlab.storage.files import write_whole, writing

        texts = ((self.html, report_page), (self.junit, junit_text), (self.sarif, sarif_text))
        for path, text in (*texts, (self.summary, summary_text)):
            if path is not None:
                with writing():
                    write_whole(path, text(reports))


def written_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator that adds `--html`, `--junit`, `--sarif` and `--summary` to a command."""
    for name, text in reversed(_HELP.items()):
        command = click.option(f"--{name}", type=click.Path(path_type=Path), metavar="FILE", help=text)(command)
    return command


def written_given(given: dict[str, Any]) -> Written:
    """What these options were given, taken out of all that was given."""
    return Written(**{name: given.pop(name) for name in _HELP})
