"""The letters of the formulas by which mistakes are told: what each stands for, for those that occur in some texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

_OF_BOTH = {
    "p": "p: the probabilities, softmax of the logits",
    "y": "y: the label of a row",
    "t": "t: the targets of a row, for a label 1 there and 0 elsewhere",
    "g": "g: the gradient by the logits of a row",
    "S": "S: the sum of exp(d_j) over the classes",
    "u": "u: the unit roundoff, 2^-24 in float32 and 2^-53 in float64",
    "N": "N: the number of rows",
    "K": "K: the number of classes",
}
LETTERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "logits": {
            "d": "d = x - max x: the logits of a row less the largest of that row",
            "x": "x: the logits of a row",
            "m": "m: the largest logit of a row",
            "e_j": "e_j = exp(d_j)",
            "q": "q: the probabilities that are the targets of a row",
            "lse": "lse = log sum exp x",
            **_OF_BOTH,
        },
        "layer": {
            "d": "d = z - max z: the logits of a row less the largest of that row",
            "z": "z = x W + b: the logits of a row",
            "e": "e = exp(d)",
            "G": "G: the gradient by the logits, a row for each example",
            "P": "P: the probabilities of all rows",
            "T": "T: the targets of all rows",
            "D": "D: the number of features",
            **_OF_BOTH,
        },
    }
)


def letters_of(texts: Iterable[str], scope: str) -> list[str]:
    """What the letters in some formulas stand for, each once. scope: "logits" or "layer".

    The meaning of a letter may have others in it, which are told too. What the texts say themselves is left out.
    """
    text, known = " ; ".join(texts), LETTERS[scope]
    found: list[str] = []
    while True:
        told = " ; ".join([text, *(known[letter] for letter in found)])
        more = [letter for letter, meaning in known.items() if letter in found or _is_open(letter, meaning, text, told)]
        if more == found:
            return [known[letter] for letter in found]
        found = more


def _is_open(letter: str, meaning: str, text: str, told: str) -> bool:
    """Whether a letter, with an index or without, occurs in what is told, and the text does not say what it is."""
    index = "" if "_" in letter else r"(?:_(?:[a-z]+|\([^)]*\)|\{[^}]*\}))?"
    if re.search(rf"(?<![\w.'^]){letter}{index}(?![\w'(]|=|\.[a-zA-Z]|\|\w| over | max )", told) is None:
        return False
    return "=" not in meaning or meaning.partition(":")[0] not in text
