"""Cases and profiles as plain data for JSON."""

from __future__ import annotations

from gradlab.campaigns.conformance.profile import Followed, Profile
from gradlab.campaigns.conformance.table import CASES
from gradlab.storage.encoding import Plain


def encode_cases() -> Plain:
    """The table of cases: question and rules, by name."""
    return {
        name: {
            "question": case.question,
            "rules": [
                {"name": rule.name, "says": rule.says, "followed_by": rule.followed_by, "ours": rule.ours}
                for rule in case.all_rules
            ],
        }
        for name, case in CASES.items()
    }


def encode_profile(profile: Profile) -> Plain:
    """What is followed in every case, by its name."""
    return {name: _encode(one) for name, one in profile.items()}


def _encode(one: Followed) -> Plain:
    return {
        "rules": [rule.name for rule in one.rules],
        "not_claimed": list(one.lacking),
        "seen": one.seen,
        "as_ruled": one.as_ruled,
    }
