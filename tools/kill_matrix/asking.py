"""One implementation is asked what a run asks; rows are computed again when this changes, or what it imports."""

from __future__ import annotations

import time
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.harness.course import Course, Done
from gradlab.harness.examination import examine_all
from gradlab.harness.plan import Plan
from gradlab.harness.tally import Tally
from gradlab.harness.verdict import Verdict, is_advice


def shares_and_verdict(implementation: Implementation, plan: Plan) -> dict[str, Any]:
    """The share of problems on which each check rejects it, what is left of the verdict, and the processor time."""
    began = time.process_time()
    done = Done(Tally(implementation, Verdict(plan.level)))
    examine_all(done, plan, lambda progress: None, Course(implementation, plan.minutes))
    lines = [line for line in done.tally.lines.values() if not is_advice(line.check, implementation.claims)]
    return {
        "rejected": {line.check.name: line.n_failed / line.n_problems for line in lines},
        "level": str(done.tally.verdict()),
        "seconds": round(time.process_time() - began, 1),
    }
