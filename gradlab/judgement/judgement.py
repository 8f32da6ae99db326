"""What a machine is told of an implementation: a verdict, a number to reward, and words to act on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from gradlab.harness.verdict import Verdict
from gradlab.judgement.cost import Cost
from gradlab.report.report import Report
from gradlab.storage.encoding import Plain

SCHEMA = "gradlab-judgement-1"
BASE = {Verdict.WRONG: 0.0, Verdict.UNSTABLE: 0.2, Verdict.STABLE: 0.6, Verdict.ACCURATE: 0.8}
FOR_TIME = 0.2  # of a reward: less than what one verdict is above the next


def reward_of(verdict: Verdict, over_yardstick: float | None) -> float:
    """From 0 to 1: 0 for `wrong`, else by verdict first, and by time among those of one verdict.

    over_yardstick: the time of a call over the yardstick's. FOR_TIME / (1 + over_yardstick) is added for it from
    `stable` on, and nothing where it is None.
    """
    is_timed = verdict >= Verdict.STABLE and over_yardstick is not None
    return BASE[verdict] + (FOR_TIME / (1 + over_yardstick) if is_timed and over_yardstick is not None else 0.0)


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was found out about one target.

    report: None where the target did not load; then `refusal` says why. battery: how many problems had been tried when
    it was given up as wrong; 0 where all of the profile was tried. cost: None where no call was timed. verbose: whether
    the text has every failure.
    """

    target: str
    seed: int
    profile: str
    report: Report | None
    refusal: str = ""
    battery: int = 0
    cost: Cost | None = None
    seconds: float = 0.0
    verbose: bool = False

    @property
    def verdict(self) -> str:
        """wrong, unstable, stable or accurate; "refused" where the target did not load."""
        return "refused" if self.report is None else str(self.report.verdict)

    @property
    def met(self) -> bool:
        """Whether the verdict reaches the level asked for, also in the calls that were timed."""
        return self.report is not None and self.report.met and not self._is_spoilt

    @property
    def ratio(self) -> float | None:
        """The largest error over its tolerance, of all that lowers a verdict below stable; None without an answer."""
        if self.report is None:
            return None
        costly = [line for line in self.report.lines if line.check.failing_means in ("wrong", "unstable")]
        largest = max((line.worst.ratio for line in costly), default=math.inf)
        return largest if math.isfinite(largest) else None

    @property
    def reward(self) -> float:
        """As `reward_of`; 0 where it did not load, and where the answer to a timed call was wrong."""
        if self.report is None or self._is_spoilt or self.report.cut_short:
            return 0.0
        return reward_of(self.report.verdict, None if self.cost is None else self.cost.over_yardstick)

    @property
    def text(self) -> str:
        """What its author can act on: what is wrong, where, on which smallest problem, and what to do."""
        return "\n".join(lines_of(self.to_json()))

    @property
    def _is_spoilt(self) -> bool:
        """Whether a timed call had no answer, or a wrong one."""
        return self.cost is not None and self.cost.fault != ""

    def _said(self) -> str:
        if self.report is None:
            return ""
        return "\n".join(self.report.full_lines() if self.verbose else self.report.short_lines())

    def to_json(self) -> Plain:
        """It as plain data; the same for the same target, seed and versions, but for `measured`."""
        report: Any = {} if self.report is None else self.report.to_json()
        return {
            "schema": SCHEMA,
            "target": self.target,
            "name": report.get("name"),
            "seed": self.seed,
            "profile": self.profile,
            "verdict": self.verdict,
            "verdicts": report.get("verdicts", {}),
            "level": report.get("level"),
            "met": self.met,
            "refusal": self.refusal or None,
            "given_up_after": self.battery or None,
            "n_problems": report.get("n_problems", 0),
            "cut_short": report.get("cut_short"),
            "ratio": self.ratio,
            "diagnosis": report.get("diagnosis"),
            "localisation": report.get("localisation"),
            "power": report.get("power"),
            "text": self._said(),
            "measured": {
                "seconds": self.seconds,
                "reward": self.reward,
                "cost": None if self.cost is None else {**asdict(self.cost), "shape": list(self.cost.shape)},
            },
        }


def lines_of(judgement: Any) -> list[str]:
    """What the command prints of a judgement, which is plain data, for people."""
    measured = judgement["measured"]
    lines = [*(judgement["refusal"] or judgement["text"]).splitlines()]
    if judgement["given_up_after"]:
        lines.append(f"given up as wrong after the first {judgement['given_up_after']} problems")
    if cost := measured["cost"]:
        lines.append(f"time: {cost['fault'] or cost['note'] or _spelled_cost(cost)}")
    ratio = "no answer" if judgement["ratio"] is None else f"error over tolerance {judgement['ratio']:.3g}"
    ending = f"reward {measured['reward']:.3f}; seed {judgement['seed']}; {measured['seconds']:.1f} s"
    lines.append(f"verdict: {judgement['verdict']}; {ratio}; {ending}")
    return lines


def _spelled_cost(cost: Any) -> str:
    rows, classes = cost["shape"]
    return (
        f"{1000 * cost['seconds']:.3g} ms a call on {rows} x {classes} logits in {cost['dtype']},"
        f" {cost['over_yardstick']:.3g} of the yardstick's, {cost['over_limit']:.3g} of the limit"
    )
