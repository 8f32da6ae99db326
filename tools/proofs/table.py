"""Every proof by machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tools.proofs import accurate, arithmetic, exponentials, kernel, oracle
from tools.proofs.proof import Proof

_PARTS: tuple[Callable[[], Iterator[Proof]], ...] = (
    accurate.proofs,
    kernel.proofs,
    exponentials.proofs,
    arithmetic.proofs,
    oracle.proofs,
)


def all_proofs() -> dict[str, Proof]:
    """The proofs by name."""
    proofs = [proof for part in _PARTS for proof in part()]
    return {proof.name: proof for proof in proofs}
