"""An atlas in the making: each target is measured, here or in processes of its own, and written when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gradlab.campaigns.atlas.atlas import behaviour_of, measured_families, measurement_of
from gradlab.campaigns.atlas.document import Missing, document, encode_behaviour, encode_entry, with_behaviour
from gradlab.campaigns.atlas.page import as_markdown
from gradlab.campaigns.exhaustive.certificate import Certificate
from gradlab.campaigns.runner import GivenClaims, Job, Request, Where, Work, outcomes
from gradlab.harness.plan import Progress, Watch
from gradlab.problems.families import Family
from gradlab.storage.encoding import Plain
from gradlab.storage.files import parsed_json, strict_json, write_whole, writing
from gradlab.targets.importing import TargetError


@dataclass(frozen=True)
class Measured:
    """What is measured of each target: errors on families of these names, so many generations of climbed rows."""

    families: tuple[str, ...]
    generations: int
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True)
class Edition:
    """What an atlas has: the work on each target, what its results are joined to, and how all of that is written.

    document: of the entries, and of what is missing. page: of the document, and the name of the picture's file, if any.
    """

    works: Sequence[Work]
    join: Callable[[Sequence[Plain]], Plain]
    document: Callable[[Sequence[Plain], Sequence[Missing]], Plain]
    page: Callable[[Plain, str | None], str]


@dataclass(frozen=True)
class Draft:
    """An atlas in the making, and where it goes; entries grow target by target.

    outputs: files for "markdown", "json" and "picture", as far as asked for. say: is told in one line of each target
    that is measured or left out. unloaded: why targets do not load. entries: may begin with those of an atlas that is
    taken up again.
    """

    edition: Edition
    outputs: dict[str, Path]
    say: Callable[[str], None]
    missing: list[Missing] = field(default_factory=list)
    unloaded: list[str] = field(default_factory=list)
    entries: list[Plain] = field(default_factory=list)

    @property
    def document(self) -> Plain:
        """The atlas so far, as plain data."""
        return self.edition.document(self.entries, self.missing)

    @property
    def page(self) -> str:
        """The atlas so far, as Markdown."""
        return self.edition.page(self.document, self.outputs["picture"].name if "picture" in self.outputs else None)


def edition_of_losses(command: str, families: Sequence[Family], measured: Measured) -> Edition:
    """The atlas of losses of logits; command: by which it is made."""
    # bad labels in a worker of their own: what they spoil is not to be measured
    return Edition(
        [partial(entry_of, measured=measured), behaviour_in],
        lambda results: with_behaviour(*results),
        partial(document, command, families),
        as_markdown,
    )


def measure(targets: Sequence[str], draft: Draft, where: Where) -> None:
    """Measures every implementation that the targets stand for; one that cannot be measured, or loaded, is left out.

    Raises OutputError.
    """
    works = draft.edition.works
    before = {entry["target"] for entry in draft.entries}
    request = Request(targets, GivenClaims(), lambda one: () if one.target in before else works)
    for outcome in outcomes(request, where):
        if outcome.error:
            leave_out(Missing(outcome.target, f"{outcome.target}: {outcome.error}"), draft)
        elif outcome.fault:
            leave_out(Missing(outcome.target, outcome.fault), draft)
            draft.unloaded.extend([outcome.fault] if outcome.does_not_load else [])
        else:
            add(outcome.name, draft.edition.join(outcome.results), draft)


def measured_before(path: Path, edition: Edition) -> list[Plain]:
    """The entries of an atlas in a file, none where there is no file.

    Raises ValueError where the file is no atlas that this edition could write now and here, and OSError.
    """
    if not path.exists():
        return []
    found, own = parsed_json(path.read_text(encoding="utf-8")), parsed_json(strict_json(edition.document([], [])))
    for name in ("schema", "version", "command", "versions", "machine"):
        there = found.get(name) if isinstance(found, dict) else None
        if there != own[name]:
            raise ValueError(f"{path}: {name} must be {own[name]!r}, got {there!r:.400}")
    return list(found["targets"])


def entry_of(job: Job, measured: Measured) -> Plain:
    """What is measured of one target. Raises TargetError where its run was cut short."""
    implementation, families = job.implementation, measured_families(measured.families)
    with whole(job) as watch:
        found = [
            measurement_of(implementation, dtype, families, measured.generations, watch)
            for dtype in implementation.claims.dtypes
        ]
        return encode_entry(implementation, found, measured.certificates)


def behaviour_in(job: Job) -> Plain:
    """What is seen of its behaviour. Raises TargetError where its run was cut short."""
    dtypes = job.implementation.claims.dtypes
    with whole(job) as watch:
        return encode_behaviour([behaviour_of(job.implementation, dtype, watch) for dtype in dtypes])


def leave_out(missing: Missing, draft: Draft) -> None:
    """Notes a target that is not measured."""
    draft.say(f"left out: {missing.reason}")
    draft.missing.append(missing)
    if draft.entries:
        write(draft)


def add(name: str, entry: Plain, draft: Draft) -> None:
    """Adds what was seen of a target, and writes the atlas."""
    draft.entries.append(entry)
    for chart in entry["charts"]:
        draft.say(f"{name} {chart['dtype']}: {chart['verdict']}")
    write(draft)


def write(draft: Draft) -> None:
    """Writes the atlas so far to its files. Raises OutputError."""
    contents: dict[str, Callable[[], str]] = {
        "markdown": lambda: draft.page,
        "json": lambda: strict_json(draft.document),
        "picture": lambda: _picture(draft.document),
    }
    with writing():
        for name, path in draft.outputs.items():
            write_whole(path, contents[name]())


@contextmanager
def whole(job: Job) -> Iterator[Watch]:
    """Whom to tell where the work is, in a context in which all calls are made.

    Raises TargetError where some are not.
    """

    def refuse_cut_short() -> None:
        if job.cut_short:
            raise TargetError(f"{job.implementation.target}: {job.cut_short}")

    def watch(progress: Progress) -> None:
        refuse_cut_short()
        job.watch(progress)

    yield watch
    refuse_cut_short()


def _picture(atlas: Plain) -> str:
    from gradlab.campaigns.atlas.picture import as_svg

    return as_svg(atlas)
