"""The atlas of layers as an edition of the atlas: its works, and what their results are joined to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gradlab.campaigns.atlas.run import Edition, whole
from gradlab.campaigns.conformance.in_scope import profile_in_scope
from gradlab.campaigns.layer_atlas.document import document, encode_measurements, encode_rules, joined
from gradlab.campaigns.layer_atlas.measurement import judge_layer, measurement_of_layer
from gradlab.campaigns.layer_atlas.page import as_markdown
from gradlab.campaigns.layer_atlas.recipes import printed_by
from gradlab.campaigns.runner import Job
from gradlab.storage.encoding import Plain


def edition_of_layers(command: str) -> Edition:
    """The atlas of layers; command: by which it is made."""
    works = [errors_in, rules_in]  # bad labels in a worker of their own: what they spoil is not to be measured
    return Edition(works, _join, partial(document, command), lambda atlas, picture: as_markdown(atlas))


def errors_in(job: Job) -> Plain:
    """What is measured of one layer. Raises TargetError where its run was cut short."""
    dtypes = job.implementation.claims.dtypes
    with whole(job) as watch:
        measured = [measurement_of_layer(job.implementation, dtype, watch) for dtype in dtypes]
        return encode_measurements(job.implementation, measured)


def rules_in(job: Job) -> Plain:
    """What is seen of its behaviour, by dtype. Raises TargetError where its run was cut short."""
    implementation, found = job.implementation, {}
    with whole(job) as watch:
        for dtype in implementation.claims.dtypes:
            profile = profile_in_scope(implementation, dtype, watch)
            judged = judge_layer(implementation, dtype, True, watch)
            found[dtype] = encode_rules(implementation, dtype, profile, *judged)
    return found


def _join(results: Sequence[Plain]) -> Plain:
    """The entry of a target, with what the lines of its findings print here."""
    entry, behaviour = results
    whole = joined(entry, behaviour)
    printed: dict[tuple[str, ...], str] = {}
    for finding in (finding for chart in whole["charts"] for finding in chart["findings"]):
        lines = tuple(finding["lines"])
        if lines and lines not in printed:
            printed[lines] = printed_by(lines)
        finding["printed"] = printed.get(lines, "")
    return whole
