"""What calls and targets are known by, so that what one did is not tried a second time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

KEY = 16  # bytes


def key_of(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bytes:
    """What identifies a call: the bits of its arguments and how they lie in memory."""
    digest = hashlib.sha256()  # half of BLAKE2's time where the processor has instructions for it
    for name, value in (*enumerate(arguments), *sorted(keywords.items())):
        if isinstance(value, np.ndarray):
            kind, flags = value.dtype, value.flags
            digest.update(f"{name} {kind.str}{value.shape}{value.strides}{flags.num}".encode())
            digest.update(value.data if flags.c_contiguous and kind.kind in "fiu" else value.tobytes())
        else:
            digest.update(f"{name} {value!r}".encode())
    return digest.digest()[:KEY]


def name_key(name: str) -> bytes:
    """What identifies the loading of a target."""
    return hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=KEY).digest()
