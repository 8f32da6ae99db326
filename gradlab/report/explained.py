"""What explains a failure, and what a pass is worth, in plain words."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import OPTIONS, Claims
from gradlab.evaluation.layer_claims import L2_FORMS, LAYOUTS, LayerClaims
from gradlab.report.letters import letters_of
from gradlab.report.two_names import other_names

if TYPE_CHECKING:  # what explains a failure is loaded where something failed
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.diagnosis.search import Explanation
    from gradlab.harness.power import Power
    from gradlab.localisation.statements import Localisation
    from gradlab.targets.shipped import Specimen


def diagnosis_lines(diagnosis: Diagnosis, known_defects: Mapping[str, Specimen]) -> Iterator[str]:
    """What the failures look like, with how much of them that predicts, and where to read on."""
    known = [_names(one) for one in diagnosis.alternatives]
    among = f" with {diagnosis.among}" if diagnosis.among else ""
    counts = f"{diagnosis.n_problems} answers in {diagnosis.dtype}{among}, {diagnosis.n_wrong or 'none'} of them wrong"
    if known:
        opening = "looks like: " if len(known) == 1 else "cannot tell apart: "
        raised = diagnosis.n_raised
        few = f"{diagnosis.n_problems} of {diagnosis.n_problems + raised} answers in {diagnosis.dtype}{among}"
        share = f"{few}; {raised} {_raise(raised)}" if raised else f"all of {counts}"
        yield f"{opening}{'; or '.join(known)} (predicts {share})"
    if diagnosis.side_effects:
        yield f"looks like: {' and '.join(diagnosis.side_effects)} (seen in calls made to look for it)"
    defects = [name for one in diagnosis.alternatives for name in one.defects]
    said = defaultdict[str, dict[str, None]](dict)  # of every alternative, each once, in their order
    for model in (model for one in diagnosis.alternatives for model in one.models if model.said):
        said[model.defect][model.said] = None
    for name in dict.fromkeys([*defects, *diagnosis.side_effects]):
        yield f"  {name}: {'; or '.join(said[name]) or known_defects[name].wrong}   gradlab explain {name}"
    if diagnosis.n_changed:
        yield "looks like: it keeps state: calls of the run, made again at its end, get other answers"
    if diagnosis.unexplained:
        known_in_part = bool(known or diagnosis.side_effects)
        checks = ", ".join([*diagnosis.unexplained[:3], *(["..."] if len(diagnosis.unexplained) > 3 else [])])
        raising = f"; {diagnosis.n_raised} more {_raise(diagnosis.n_raised)}" if diagnosis.n_raised else ""
        wrong = f" ({counts}{raising})" if (diagnosis.n_wrong or raising) and not known else ""
        yield f"{'the rest looks' if known_in_part else 'looks'} like no known defect: {checks}{wrong}"


def _raise(count: int) -> str:
    return "raises" if count == 1 else "raise"


def localisation_lines(found: Localisation) -> Iterator[str]:
    """Where it is wrong and what comes out there, with how often that foretold what fresh problems come to."""
    only = f", in {found.only_in} alone" if found.only_in else ""
    yield f"where: {found.where}{only} (foretold {found.n_foretold} of {found.n_fresh} fresh problems)"
    if found.what:
        yield f"what: {found.what}"


def power_lines(power: Power) -> Iterator[str]:
    """How many known defects the run would have caught, which it would have missed, and what it did not try."""
    tried = len(power.caught) + len(power.missed)
    caught = f"{len(power.caught)} of {tried} known defects"
    size = f"up to {power.largest[0]} rows and {power.largest[1]} classes"
    yield f"power: would have caught {caught}, by these checks on problems of {size}"
    if power.missed:
        yield f"  would have missed: {', '.join(power.missed)}"
    if power.not_exercised:
        counts = ", ".join(f"{reason} ({len(names)})" for reason, names in power.not_exercised.items())
        yield f"  not tried, as it is not claimed (known defects): {counts}"


def claims_line(claims: Claims) -> str:
    """What an implementation was judged as, in one line."""
    kinds = {"index": "labels as one-hot rows" if claims.one_hot else "labels", "probability": "probabilities"}
    parts = [f"{', '.join(claims.reduction)} over {' and '.join(kinds[one] for one in claims.targets)}"]
    parts += [", ".join(claims.dtypes), *([f"options {', '.join(claims.options)}"] if claims.options else [])]
    off = [keyword for name, keyword in claims.keyword_of.items() if name not in claims.options]
    parts += [f"{', '.join(off)} off in every call"] if off else []
    parts += [f"mean over {', '.join(claims.mean_over)}"] if claims.mean_over != Claims().mean_over else []
    flags = [
        name
        for name in ("refuses_bad_labels", "empty_batch", "keeps_dtype", "nan_rows", "big_endian", "gradient_in_logits")
        if getattr(claims, name)
    ]
    parts += _layer_parts(claims.layer) if claims.layer is not None else []
    parts = ([f"derivative {claims.derivative}"] if claims.derivative != "gradient" else []) + parts
    return "judged as: " + "; ".join(parts + ([", ".join(flags)] if flags else []))


def _layer_parts(layer: LayerClaims) -> list[str]:
    """What a layer takes and returns, and where it is not the usual, how its arrays lie; and its penalty."""
    parts = [f"takes {', '.join(layer.takes)}", f"returns {', '.join(layer.returns)}"]
    layouts = {name: getattr(layer, name) for name in LAYOUTS}
    parts += [f"{name.replace('_', ' ')} {one}" for name, one in layouts.items() if one not in ("", LAYOUTS[name][0])]
    if "l2" in layer.taken and layer.l2_form:
        parts.append(f"penalty {L2_FORMS[layer.l2_form]}{', the bias too' if layer.l2_takes_bias else ''}")
    return parts


def options_not_claimed(implementation: Implementation) -> tuple[str, ...]:
    """The options that a function takes and does not claim."""
    try:
        taken = inspect.signature(implementation.function).parameters
    except (TypeError, ValueError):
        return ()
    claims = implementation.claims
    return tuple(name for name in OPTIONS if claims.keyword_of.get(name, name) in taken and name not in claims.options)


def facts_of(specimen: Specimen, says: str, shows: str, scope: str = "logits") -> Iterator[str]:
    """What is known of a defect. says: what it is in a sentence; shows: where; scope: "logits" or "layer"."""
    yield f"{specimen.name}: {says}"
    yield f"wrong:   {specimen.wrong}"
    yield f"mend:    {specimen.mend}"
    if letters := letters_of([specimen.wrong, specimen.mend], scope):
        yield f"letters: {'; '.join(letters)}"
    if names := other_names(specimen.name, scope):
        yield f"same:    {' and '.join(names)}, of {'a layer' if scope == 'logits' else 'a loss of logits'}"
    yield f"shows:   {shows}"
    yield f"caught:  by {specimen.killed_by}"
    yield f"seen:    {specimen.seen}"


def explanation_of(specimen: Specimen) -> Iterator[str]:
    """All that is known of a defect: the mathematics, the smallest input, how to mend it, where it was seen."""
    yield from facts_of(specimen, " ".join((specimen.function.__doc__ or "").split()), _witness(specimen))
    yield "code:"
    yield from (f"    {line}" for line in inspect.getsource(specimen.function).rstrip().splitlines())


def _names(explanation: Explanation) -> str:
    """The defects with their parameters, such as "epsilon_in_log (epsilon = 1e-07)"."""
    from gradlab.diagnosis.models import met_in_several_places

    parts = []
    for name in explanation.defects:
        models = [model for model in explanation.models if model.defect == name]
        places = [f"in the {one.place} alone" for one in models if one.place and met_in_several_places(name)]
        said = [*places, *(model.parameter for model in models if model.parameter)]
        parts.append(f"{name} ({', '.join(said)})" if said else name)
    return " and ".join(parts) + (f", computed in {explanation.inside}" if explanation.inside else "")


def _witness(specimen: Specimen) -> str:
    rows = specimen.logits
    shown = f"logits {_short(rows)}, {'targets' if _is_nested(specimen.labels) else 'labels'} {_short(specimen.labels)}"
    return shown + "".join(f", {name} {value}" for name, value in specimen.options.items())


def _is_nested(values: object) -> bool:
    return isinstance(values, list) and bool(values) and isinstance(values[0], list)


def _short(values: object) -> str:
    text = str(values)
    return text if len(text) <= 80 else f"{text[:70]}... ({len(values)} rows)" if isinstance(values, list) else text
