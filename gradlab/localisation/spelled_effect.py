"""What comes out where an implementation is wrong, in words."""

from __future__ import annotations

from collections.abc import Sequence

from gradlab.localisation.evidence import Effect
from gradlab.localisation.relations.loose import said_of_gradients, said_of_losses
from gradlab.localisation.relations.writes import said_of_writes
from gradlab.localisation.trial import Outcome


def spelled_effect(effect: Effect, wrong: Sequence[Outcome]) -> str:
    """What comes out: "only the gradient is wrong; the gradient is 1.01 times what it should be"."""
    in_loss, in_gradient = any(one.wrong_loss for one in wrong), any(one.wrong_entries.any() for one in wrong)
    raising = all(one.raised for one in wrong)
    only = f"only the {'loss' if in_loss else 'gradient'} is wrong" if in_loss != in_gradient and not raising else ""
    return "; ".join(one for one in (only, spelled_relations(effect, wrong)) if one)


def spelled_relations(effect: Effect, wrong: Sequence[Outcome]) -> str:
    """What the gradient and the loss are in the place of the truth, or what is said of them loosely."""
    if any(one.written and one.symptom is not None and one.symptom.writing for one in wrong):
        return said_of_writes(wrong)
    raised = {one.raised for one in wrong if one.raised}
    if raised and all(one.raised for one in wrong):
        return f"there is no answer: {' or '.join(sorted(raised))}"
    gradients, losses = [one for one in wrong if one.wrong_entries.any()], [one for one in wrong if one.wrong_loss]
    said = {
        "gradient": effect.gradient.said if effect.gradient is not None else said_of_gradients(gradients),
        "loss": effect.loss.said if effect.loss is not None else said_of_losses(losses),
    }
    if not any(said.values()):
        return ""
    parts = list[str]()
    for (place, words), some in zip(said.items(), (gradients, losses), strict=True):
        if some:
            in_some = "" if 2 * len(some) > len(wrong) else "in some of them "
            parts.append(f"{in_some}the {place} {words or 'is wrong, too'}")
    return "; ".join(parts)
