"""Shapes at which kernels change what they do, with the reason for each, and the factors that go with them.

A kernel has a fast path for some shapes and another for the rest, cuts rows and classes into blocks, and keeps numbers
in integers and floats of few bits. So the numbers of rows and of classes come in the groups below: one of each group is
tried with one of each other's, and all of a group in turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from gradlab.problems.covering import Combination, Factors, Setting, covering_array, settings_met, settings_of
from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Shape

T = TypeVar("T")
Turns = defaultdict[object, "count[int]"]  # how often each group has had its turn


@dataclass(frozen=True)
class Group:
    """Numbers of rows or classes that kernels treat alike, and why they are tried."""

    numbers: tuple[int, ...]
    reason: str


# fmt: off
ROWS: dict[str, Group] = {
    "one": Group((1,), "a batch of one: axes are squeezed, a row is taken for a vector"),
    "few": Group((3, 2), "fewer than any lane, block or warp holds"),
    "multiples of 8": Group((8, 24, 40), "lanes of a vector unit, and half precision on tensor cores"),
    "powers of 2": Group((16, 32, 64), "warps and small tiles; masks of the remainder are left out"),
    "next to powers of 2": Group((17, 31, 33, 63, 65), "one fewer or more than a tile: a remainder of one"),
    "multiples of 32": Group((96, 160, 224), "whole warps that are no power of two"),
    "round numbers": Group((100, 101, 1000, 1001, 10_000), "batches that people write, and one more"),
    "powers of 2 to 512": Group((128, 256, 512), "blocks of threads, and indices of 8 bits"),
    "next to those": Group((127, 129, 255, 257, 511, 513), "a remainder of one, and what needs a ninth bit"),
    "multiples of 128": Group((384, 640, 896), "whole tiles of 128 that are no power of two"),
    "powers of 2 to 4096": Group((1024, 2048, 4096), "the largest block of threads, and blocks of several rows"),
    "next to large powers": Group((1025, 1023, 2049, 4097), "a second block; 2049 is no number of half precision"),
    "beyond a grid": Group((70_001, 65_536, 65_535, 65_537, 131_072, 100_001), "grids of 65,535 blocks, 16 bits"),
}
CLASSES: dict[str, Group] = {
    "few": Group((2, 3), "less than a lane, so that many rows come cheap"),
    "ten": Group((10, 5, 7, 13), "the classes of teaching data sets"),
    "multiples of 8": Group((8, 24, 40), "lanes, and half precision on tensor cores"),
    "powers of 2": Group((16, 32, 64), "a row in one warp"),
    "next to powers of 2": Group((17, 31, 33, 63, 65), "a remainder of one"),
    "multiples of 32": Group((96, 160, 224), "whole warps that are no power of two"),
    "round numbers": Group((100, 1000, 101, 1001), "classes that people write, and one more"),
    "powers of 2 to 512": Group((128, 256, 512), "labels of 8 bits, and blocks of threads"),
    "next to those": Group((127, 129, 255, 257, 511, 513), "one more or less: labels of a ninth bit"),
    "multiples of 128": Group((384, 640, 896), "whole tiles of 128"),
    "powers of 2 to 4096": Group((1024, 2048, 4096), "a row in one block of threads"),
    "next to large powers": Group((1025, 1023, 2049, 4097), "a second pass; labels beyond 2048 in half precision"),
    "many": Group((8193, 10_000, 8192, 16_385, 20_000), "rows that no longer fit in shared memory"),
    "vocabularies": Group((50_257, 32_000, 32_769), "tables of language models; labels beyond 15 bits"),
    "more than 16 bits": Group((131_073, 65_537, 128_256, 65_536, 131_072, 100_003), "labels and blocks of 65,536"),
}
# The rows that come most often with a number of classes: who writes a path for one shape writes it for one of these.
COMMON: dict[int, Group] = {
    2: Group((32, 64, 569), "two classes: batches of reviews, and all of the breast cancer data"),
    3: Group((150, 178), "all of the iris and of the wine data"),
    10: Group((16, 32, 64, 100, 128, 256, 512, 1797), "batches of MNIST and CIFAR-10, and all of the digits"),
    100: Group((32, 64, 128, 256), "batches of CIFAR-100"),
    1000: Group((1, 32, 64, 128, 256), "one image, and batches, of ImageNet"),
}
# fmt: on

SPECIAL: tuple[Shape, ...] = ((127, 63), (257, 257), (513, 515), (1024, 1024), (1027, 1025))
# Where the rows lie far apart as well: a path for some sizes may lack the shift by each row's largest logit.
FAR_APART: tuple[Shape, ...] = (
    (16, 16),
    (32, 10),
    (128, 128),
    (256, 1000),
    (512, 512),
    (1025, 17),
    (4097, 33),
    (5, 8193),
    (3, 65_537),
)
LARGER: dict[str, tuple[Shape, ...]] = {
    "quick": (),
    "standard": ((2048, 2048), (4, 2**20), (2**20, 4), (70_000, 59), (32, 128_256), (83, 50_257)),
    "thorough": ((8192, 8192), (8191, 4097), (3, 2**23 + 1), (2**24 + 1, 2), (260, 128_256), (500_001, 64)),
}
# Where it is watched that results stay what they were: small, as large as a block, larger than a cache, and thin.
REPEATED: tuple[Shape, ...] = ((4, 5), (40, 70), (300, 257), (3, 70_001))
IGNORED = ("-1", "K", "2^32", "-100", "2^32 + 3", "3", "-K", "K + 1", "2^31")  # in turn; K: the number of classes
# Cases of their own: a label to be ignored that is a class once it is cut to as many bits as the labels have.
CUT: tuple[tuple[int, str, str], ...] = (
    (256, "uint8", "-100"),
    (256, "uint8", "-1"),
    (40, "int8", "-K"),
    (5, "uint32", "2^32 + 3"),
    (5, "int32", "2^32"),
)
CUT_ROWS = 13
STRENGTH = {"quick": 2, "standard": 3, "thorough": 3}
MAX_ENTRIES = 2**19  # of the combinations
MAX_BYTES = 2**28 + 2**16  # of the logits of any shape: 2^26 in float32, 2^25 in float64
MAX_WITH_OPTIONS = 2**12  # entries of a problem with an option, which is no problem of few kinds

BITS = {"int8": 7, "uint8": 8, "int16": 15, "uint16": 16, "int32": 31, "uint32": 32, "int64": 63, "uint64": 64}
NARROW = 16  # bits of integers whose last ones are tried
LARGE = 2**16  # rows or classes, from which on only these layouts are tried, which cost least
LAYOUTS_OF_LARGE = ("C order", "Fortran order", "the first columns of a wider array", "rows in reverse")
FLOAT16_ROWS = 2**15  # the most rows in float16, which has no number as large as 65,536


@dataclass(frozen=True)
class Case:
    """One combination: a shape, and what goes with it; the values are those of the factors.

    logits: "moderate", or "far apart" where the largest ones of two rows are.
    """

    n_rows: int
    n_classes: int
    dtype: str
    integers: str
    layout: str
    labels: str
    option: str
    logits: str = "moderate"

    @property
    def n_entries(self) -> int:
        """How many logits."""
        return self.n_rows * self.n_classes


@dataclass(frozen=True)
class Covered:
    """How many of the values of every so many factors came up together, of how many that go together."""

    strength: int
    met: int
    every: int


@dataclass(frozen=True, eq=False)
class Sizes:
    """What is to be tried: the cases, the smallest first, and the combinations that they stand for."""

    cases: tuple[Case, ...]
    combinations: Mapping[Case, Combination]
    factors: Factors
    strength: int

    def covered(self, tried: tuple[Case, ...]) -> Covered:
        """How much of what is to be covered some of the cases cover."""
        every: set[Setting] = set(settings_of(self.factors, allowed, self.strength))
        found = [self.combinations[case] for case in tried if case in self.combinations]
        return Covered(self.strength, len(every & settings_met(found, self.factors, self.strength)), len(every))


def sizes_of(profile: str, others: Factors) -> Sizes:
    """The cases of a profile. others: the values of dtype, integers, layout, labels and option, the plainest first."""
    factors: Factors = {"rows": tuple(ROWS), "classes": tuple(CLASSES), **others}
    found = covering_array(factors, allowed, STRENGTH[profile], usual=("labels", "option"))
    turns: Turns = defaultdict(count)
    combinations = {_case(one, turns): one for one in found}
    plain = {name: values[0] for name, values in others.items()}
    special = [
        Case(*shape, **{**plain, "dtype": dtype})  # type: ignore[arg-type]  # the names of the factors are the fields
        for shape in (*_common_shapes(), *SPECIAL, *LARGER[profile])
        for dtype in others["dtype"]
        if not (dtype == "float16" and shape[0] > FLOAT16_ROWS)
        and shape[0] * shape[1] * format_of(str(dtype)).dtype.itemsize <= MAX_BYTES
    ]
    special += [
        Case(*shape, **{**plain, "dtype": dtype, "logits": "far apart"})  # type: ignore[arg-type]  # as above
        for shape in FAR_APART
        for dtype in others["dtype"]
    ]
    if "ignore_index" in others["option"] and len(others["integers"]) > 1:
        special += [
            Case(CUT_ROWS, classes, str(dtype), integers, str(plain["layout"]), "spread", f"ignore_index {ignored}")
            for classes, integers, ignored in CUT
            for dtype in others["dtype"]
        ]
    cases = sorted(dict.fromkeys([*combinations, *special]), key=lambda case: case.n_entries)
    return Sizes(tuple(cases), combinations, factors, STRENGTH[profile])


def _common_shapes() -> Iterator[Shape]:
    return ((n_rows, n_classes) for n_classes, rows in COMMON.items() for n_rows in rows.numbers)


PATTERNED = ("none", "reduction sum", "reduction none", "reduction mean")  # options with problems of few kinds
# Looked up, as it is asked tens of thousands of times which values go together.
_MAX_ROWS = {name: max(group.numbers) for name, group in ROWS.items()}
_MAX_CLASSES = {name: max(group.numbers) for name, group in CLASSES.items()}
_MIN_CLASSES = {name: min(group.numbers) for name, group in CLASSES.items()}
_CLASSES_NUMBERED = {name: 2**bits for name, bits in BITS.items()}


def allowed(some: Mapping[str, object]) -> bool:
    """Whether some values of the factors go together: any numbers of their groups, but for those of the integers."""
    rows = _MAX_ROWS[str(some["rows"])] if "rows" in some else 1
    classes, least = 2, 2
    if "classes" in some:
        classes, least = _MAX_CLASSES[str(some["classes"])], _MIN_CLASSES[str(some["classes"])]
    if rows * classes > (MAX_ENTRIES if some.get("option", "none") in PATTERNED else MAX_WITH_OPTIONS):
        return False
    if rows > FLOAT16_ROWS and some.get("dtype") == "float16":
        return False
    fits = least <= _CLASSES_NUMBERED[str(some.get("integers", "int64"))]
    return fits and (max(rows, classes) <= LARGE or some.get("layout", "C order") in LAYOUTS_OF_LARGE)


def _fitting(group: Group, integers: str) -> Sequence[int]:
    """The numbers of classes that these integers can number; of up to 16 bits the largest, which takes all of them."""
    fitting = [number for number in group.numbers if number <= 2 ** BITS[integers]]
    return [max(fitting)] if BITS[integers] <= NARROW else fitting


def _case(one: Combination, turns: Turns) -> Case:
    """The case of a combination: the numbers of each group in turn, and the labels to be ignored too."""

    def following(values: Sequence[T], name: object) -> T:
        return values[next(turns[name]) % len(values)]

    rows = following(ROWS[str(one["rows"])].numbers, ("rows", one["rows"]))
    classes = following(_fitting(CLASSES[str(one["classes"])], str(one["integers"])), ("classes", one["classes"]))
    own = {name: str(value) for name, value in one.items() if name not in ("rows", "classes")}
    if own["option"] == "ignore_index":
        own["option"] += f" {following(IGNORED, 'ignored')}"
    return Case(rows, classes, **own)
