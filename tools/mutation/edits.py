"""Edits of constants and of terms, which bounds live on and which cosmic-ray does not make.

    halved, doubled, zero                    a number c becomes c/2, 2 c, 0
    exponent-8, -1, +1, +8                   2^e becomes 2^(e - 8), ...
    term                                     a + b becomes a, and b; x += b becomes nothing
    argument                                 max(a, b) becomes a, and b; so do min, np.maximum, np.minimum

Left out are numbers and sums that say where something is and not how much it is: in indices, shapes, axes.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tools.mutation.listing import Mutant

PREFIX = "bounds/"
EXPONENTS = (-8, -1, 1, 8)
EXTREMES = {"max", "min", "maximum", "minimum"}
PLACES = {  # functions whose plain integers are axes, shapes or counts of things
    *("all", "any", "argmax", "max", "min", "sum", "zeros", "ones", "empty", "full", "eye", "range", "reshape"),
    *("arange", "lru_cache"),
}
WORDS = {"axis", "keepdims", "initial", "maxsize", "dtype", "ndmin", "prec", "minlength"}


@dataclass(frozen=True)
class Edit:
    """The bytes from start to end of a source are replaced by text."""

    operator: str
    line: int
    start: int
    end: int
    text: str


def bounds_mutants(clone: Path, path: str) -> list[Mutant]:
    """The mutants of a module of the clone, by place."""
    seen: Counter[str] = Counter()
    found = []
    for edit in edits((clone / path).read_bytes()):
        found.append(Mutant(path, edit.operator, seen[edit.operator], edit.line))
        seen[edit.operator] += 1
    return found


def apply(clone: Path, mutant: Mutant) -> None:
    """Makes the edit that the mutant names in the module of the clone."""
    file = clone / mutant.path
    source = file.read_bytes()
    edit = [one for one in edits(source) if one.operator == mutant.operator][mutant.occurrence]
    file.write_bytes(source[: edit.start] + edit.text.encode() + source[edit.end :])


def edits(source: bytes) -> list[Edit]:
    """Every edit of the source, in its order."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda edit: (edit.start, edit.end, edit.operator, edit.text))


class _Finder(ast.NodeVisitor):
    """Walks over what is computed, and notes the edits of each node."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        lines = source.splitlines(keepends=True)
        self.starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
        self.found: list[Edit] = []

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in [*node.args.defaults, *node.body]:
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Text is no bound."""

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in WORDS:
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if name in EXTREMES and len(node.args) > 1 and not node.keywords:
            for argument in node.args:
                self._note("argument", node, f"({self._text(argument)})")
        self.visit(node.func)
        for part in node.args:
            if not (name in PLACES and _is_place(part)) or (name in EXTREMES and len(node.args) > 1):
                self.visit(part)
        for keyword in node.keywords:
            self.visit(keyword)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Pow) and _is_two(node.left):
            self._power_of_two(node)
            return
        if isinstance(node.op, ast.Add | ast.Sub) and not (_is_sequence(node.left) or _is_sequence(node.right)):
            self._note("term", node, f"({self._text(node.left)})")
            if not (isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Add | ast.Sub)):
                sign = "-" if isinstance(node.op, ast.Sub) else ""
                self._note("term", node, f"({sign}({self._text(node.right)}))")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.op, ast.Add | ast.Sub) and not _is_sequence(node.value):
            self._note("term", node, "pass")
        self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float) or node.value == 0:
            return
        half = node.value // 2 if isinstance(node.value, int) and node.value % 2 == 0 else node.value / 2
        for operator, value in (("halved", half), ("doubled", 2 * node.value), ("zero", type(node.value)(0))):
            self._note(operator, node, repr(value))

    def _power_of_two(self, node: ast.BinOp) -> None:
        try:
            ast.literal_eval(node.right)
        except ValueError:
            self.visit(node.right)
        for more in EXPONENTS:
            self._note(f"exponent{more:+}", node.right, f"({self._text(node.right)} + {more})")

    def _note(self, operator: str, node: ast.expr | ast.stmt, text: str) -> None:
        start, end = self._span(node)
        self.found.append(Edit(PREFIX + operator, node.lineno, start, end, text))

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self.source[start:end].decode()

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        last, after = node.end_lineno or node.lineno, node.end_col_offset or 0  # the parser gives both
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[last - 1] + after


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _is_place(node: ast.expr) -> bool:
    return isinstance(node, ast.Tuple) or (isinstance(node, ast.Constant) and isinstance(node.value, int))


def _is_two(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 2


def _is_sequence(node: ast.expr) -> bool:
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return text or isinstance(node, ast.List | ast.Tuple | ast.ListComp | ast.JoinedStr)
