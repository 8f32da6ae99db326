"""`gradlab list`: what there is to check with, and what ships."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from gradlab.cli.status import Status
from gradlab.targets.shipped import STRANGERS

if TYPE_CHECKING:
    from gradlab.targets.shipped import Shipped

Rows = list[tuple[str, str, str]]


@click.command("list", short_help="What ships, the checks, the families, the profiles.")
@click.argument("sections", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def listing(sections: tuple[str, ...], as_json: bool) -> Status:
    """List what ships, the entry points, the checks, the families and the profiles, or only the SECTIONS named."""
    for section in sections:
        if section not in SECTIONS:
            raise click.UsageError(f"section must be one of {', '.join(SECTIONS)}, got {section!r}")
    found = {name: SECTIONS[name]() for name in sections or SECTIONS}
    if as_json:
        import json

        rows = {name: [dict(zip(("name", "kind", "about"), row, strict=True)) for row in found[name]] for name in found}
        click.echo(json.dumps(rows, indent=1))
        return Status.MET
    for name, lines in found.items():
        click.echo(f"{name}:")
        for row in lines:
            click.echo(
                "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, _widths(lines), strict=True)).rstrip()
            )
        if not lines:
            click.echo("  none")
    return Status.MET


def _widths(rows: Rows) -> list[int]:
    return [max(len(row[column]) for row in rows) for column in range(3)]


def _implementations() -> Rows:
    from gradlab.targets.shipped import shipped_targets

    return [_stated_row(one) for one in shipped_targets().values() if not one.is_teaching_code]


def _teaching_codes() -> Rows:
    from gradlab.targets.shipped import shipped_targets

    return [_stated_row(one) for one in shipped_targets().values() if one.is_teaching_code]


def _stated_row(one: Shipped) -> tuple[str, str, str]:
    return (one.name, one.stated or "", _first_line(one.module.__doc__))


def _strangers() -> Rows:
    from gradlab.targets.shipped import everything, sound

    sides = [(name, *everything()[name]) for name in sound()]
    return [(n, "", _first_line(f.__doc__)) for n, f, module in sides if module.__name__.startswith(STRANGERS)]


def _specimens() -> Rows:
    from gradlab.targets.shipped import specimens

    return [(one.name, one.killed_by, _first_line(one.function.__doc__)) for one in specimens().values()]


def _attacks() -> Rows:
    from gradlab.campaigns.attacks.attack import attacks

    return [(one.name, one.deserves, one.about) for one in attacks().values()]


def _layers() -> Rows:
    from gradlab.targets.shipped import layers

    return [(name, "", _first_line(module.__doc__)) for name, (_, module) in layers().items()]


def _layer_specimens() -> Rows:
    from gradlab.targets.shipped import layer_specimens

    return [(one.name, one.killed_by, one.says) for one in layer_specimens().values()]


def _layer_checks() -> Rows:
    from gradlab.checks.layer.table import LAYER_CHECKS

    return [(check.name, check.group, _first_line(check.function.__doc__)) for check in LAYER_CHECKS]


def _layer_families() -> Rows:
    from gradlab.layer.families import LAYER_FAMILIES

    return [(family.name, "stress" if family.stress else "", family.purpose) for family in LAYER_FAMILIES]


def _entry_points() -> Rows:
    from importlib.metadata import entry_points

    from gradlab.targets.load import GROUP

    return [(entry.name, "", entry.value) for entry in entry_points(group=GROUP)]


def _checks() -> Rows:
    from gradlab.checks.table import CHECKS

    return [(check.name, check.group, _first_line(check.function.__doc__)) for check in CHECKS]


def _families() -> Rows:
    from gradlab.problems.families import FAMILIES

    return [(family.name, "stress" if family.stress else "", family.purpose) for family in FAMILIES]


def _profiles() -> Rows:
    from gradlab.harness.profiles import PROFILES

    return [
        (profile.name, "", f"families {profile.families}, {profile.examples} problems drawn per dtype")
        for profile in PROFILES.values()
    ]


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]


SECTIONS: dict[str, Callable[[], Rows]] = {
    "implementations": _implementations,
    "strangers": _strangers,
    "teaching-codes": _teaching_codes,
    "specimens": _specimens,
    "attacks": _attacks,
    "entry-points": _entry_points,
    "checks": _checks,
    "families": _families,
    "layers": _layers,
    "layer-specimens": _layer_specimens,
    "layer-checks": _layer_checks,
    "layer-families": _layer_families,
    "profiles": _profiles,
}
