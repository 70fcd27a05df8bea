"""Conditions on runs, over all sweeps: ``metrics.savings > 1 and params.d == 20``. Nothing is executed as Python.

The grammar is that of Python's expressions, read by ``ast`` and held against a list of what is allowed. What a run
does not have is missing: neither true nor false, whatever is asked of it, and so its run is not found. Missing is
also what cannot be compared: a text with a number, NaN with anything.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.base import STATES, UsageError, unknown_name

#: what a run can be asked for besides its parameters and metrics.
FIELDS = (
    "state", "experiment", "sweep_id", "job", "seconds", "git_sha", "host", "tags", "created_at", "launcher", "note",
    "run_key",
)  # fmt: skip
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_KEYWORDS = ("and", "or", "not", "in", "is", "if", "else")
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs, "min": min, "max": max, "len": len, "isnan": lambda x: isinstance(x, float) and math.isnan(x),
}  # fmt: skip
#: texts in quotes, numbers, and names with the dots, slashes and signs that those of metrics and parameters may have.
_WORD = re.compile(
    r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\d[\w.]*"
    r"|[A-Za-z_]\w*(?:(?:\.|@)\w+|/(?!(?:metrics|params)\.)[A-Za-z_]\w*)*"
)
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_ALLOWED = (
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Constant, ast.List, ast.Tuple,
    ast.Set, ast.And, ast.Or, ast.Not, ast.USub, ast.UAdd, ast.Load, ast.In, ast.NotIn, ast.Is, ast.IsNot,
    *_COMPARISONS, *_ARITHMETIC,
)  # fmt: skip
_LONGEST = 10_000  # characters
_MOST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Name:
    """What an expression asks of a run. ``kind`` is ``metrics``, ``params`` or ``field``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == "field" else f"{self.kind}.{self.name}"


@dataclass(frozen=True, slots=True)
class Known:
    """The names that there are: of parameters (without the signs of an override) and of metrics."""

    params: frozenset[str]
    metrics: frozenset[str]

    def check(self, name: Name, *, where: str) -> None:
        """Raises UsageError for a name that no run has; it names the nearest."""
        if name.kind == "field" and name.name in FIELDS:
            return
        if name.kind != "field" and name.name in getattr(self, name.kind):
            return
        raise _unknown(
            name, [*FIELDS, *(f"params.{n}" for n in self.params), *(f"metrics.{n}" for n in self.metrics)], where
        )


def _unknown(name: Name, known: Sequence[str], where: str) -> UsageError:
    """The error for a name that no run has, with the one that was meant: ``lr`` is near ``params.optim.lr``."""
    wanted = str(name)
    alike = [n for n in known if n.partition(".")[0] == name.kind] if name.kind != "field" else known
    bare = {n.partition(".")[2] or n: n for n in alike}
    last = {re.split(r"[./@]", n)[-1]: n for n in alike}
    end = re.split(r"[./@]", wanted)[-1]
    near = [last[end]] if end in last else [bare[n] for n in difflib.get_close_matches(name.name, bare, n=1)]
    near = near or [last[n] for n in difflib.get_close_matches(end, last, n=1, cutoff=0.5)]
    hint = f"did you mean {near[0]!r}? " if near else ""
    if wanted.upper() in [state.value for state in STATES]:
        hint = f"a text stands in quotes: '{wanted}'. "
    shown = sorted(known) if len(known) <= _MOST_SHOWN else difflib.get_close_matches(wanted, known, n=20, cutoff=0.3)
    return UsageError(f"unknown name {wanted!r}", where=where, todo=f"{hint}Known: {', '.join(shown or FIELDS)}")


def name_of(text: str) -> Name:
    """The name that is written so; one that is neither of a metric nor of a parameter is a field's."""
    kind, _, rest = text.partition(".")
    return Name(kind, rest) if kind in ("metrics", "params") and rest else Name("field", text)


class Expression:
    """A condition on runs, read once.

    Args:
        text: the expression.
        where: what holds it, for messages.

    Raises:
        UsageError: it is not an expression.
    """

    def __init__(self, text: str, *, where: str = "the query") -> None:
        self.text, self._where = text, f"{where}: {text}"
        self._slots: dict[str, str] = {}
        try:
            if len(text) > _LONGEST:
                raise ValueError(f"it is longer than {_LONGEST} characters")
            tree = ast.parse(_WORD.sub(self._word, text).strip(), mode="eval").body
            self.names = {slot: name_of(word) for word, slot in self._slots.items()}
            self.tree = _Bracketed(self.names).visit(tree)
            self._check()
        except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
            raise UsageError(
                f"{text!r} is not an expression ({exc})",
                where=where,
                todo="compare names with values, such as: metrics.acc > 0.9 and params.model == 'big'",
            ) from exc
        _States(self.names, self._where).visit(self.tree)

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        if word[0] in "'\"" or word[0].isdigit() or word in _FUNCTIONS or word in _KEYWORDS:
            return word
        if word in _CONSTANTS:
            return repr(_CONSTANTS[word])
        if word in ("metrics", "params"):
            return word  # with the name in brackets
        return self._slots.setdefault(word, f"v{len(self._slots)}")

    def _check(self) -> None:
        for node in ast.walk(self.tree):
            if not isinstance(node, _ALLOWED):
                raise ValueError(f"{type(node).__name__.lower()} has no place in it")
            if isinstance(node, ast.Call) and not _is_known_call(node):
                raise ValueError(f"the only functions are {', '.join(_FUNCTIONS)}")
            if isinstance(node, ast.Name) and node.id in ("metrics", "params"):
                raise ValueError(f"{node.id} needs a name: {node.id}.acc or {node.id}['a name']")

    def check(self, known: Known) -> None:
        """Raises UsageError for a name that no run has; it names the nearest."""
        for name in self.names.values():
            known.check(name, where=self._where)

    @property
    def conjuncts(self) -> Sequence[ast.expr]:
        """The conditions that all must hold."""
        is_and = isinstance(self.tree, ast.BoolOp) and isinstance(self.tree.op, ast.And)
        return self.tree.values if is_and else [self.tree]


def _is_known_call(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and not node.keywords and bool(node.args)


class _Bracketed(ast.NodeTransformer):
    """Turns ``metrics['a name']`` into a slot, as ``metrics.a`` is one already."""

    def __init__(self, names: dict[str, Name]) -> None:
        self._names = names

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        of, key = node.value, node.slice
        if not (isinstance(of, ast.Name) and of.id in ("metrics", "params") and isinstance(key, ast.Constant)):
            raise ValueError("brackets stand only behind metrics and params, with a name in quotes")
        slot = f"v{len(self._names)}"
        self._names[slot] = Name(of.id, str(key.value))
        return ast.Name(id=slot, ctx=ast.Load())


class _States(ast.NodeVisitor):
    """Brings states that a run's is compared with into the case that they have; refuses what is none."""

    def __init__(self, names: Mapping[str, Name], where: str) -> None:
        self._names, self._where = names, where

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, op, right in pairs_of(node):
            if isinstance(op, (ast.Eq, ast.NotEq)) and self._is_state(right):
                self._settle(left)
            if self._is_state(left):
                for one in right.elts if isinstance(right, (ast.List, ast.Tuple, ast.Set)) else [right]:
                    self._settle(one)
        self.generic_visit(node)

    def _is_state(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self._names.get(node.id) == Name("field", "state")

    def _settle(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            known = [state.value for state in STATES]
            if node.value.upper() not in known:
                raise unknown_name("state", node.value.upper(), known, where=self._where)
            node.value = node.value.upper()


def holds(node: ast.expr, values: Mapping[str, Any]) -> bool | None:
    """Whether a condition is true of a run; None when what it asks for is missing.

    Args:
        node: the condition.
        values: what the run has for each name of the expression, by its slot; None for what it has not.
    """
    return _truth(_value(node, values))


def _truth(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:  # noqa: PLR0911  # one for each kind of node
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return values.get(node.id)
        case ast.BoolOp():
            return _both_or_either([holds(part, values) for part in node.values], isinstance(node.op, ast.And))
        case ast.UnaryOp(op=ast.Not()):
            truth = holds(node.operand, values)
            return None if truth is None else not truth
        case ast.UnaryOp():
            value = _number(_value(node.operand, values))
            return None if value is None else (-value if isinstance(node.op, ast.USub) else value)
        case ast.Compare():
            return _both_or_either([_compared(*pair, values) for pair in pairs_of(node)], True)
        case ast.IfExp():
            truth = holds(node.test, values)
            return None if truth is None else _value(node.body if truth else node.orelse, values)
        case ast.List() | ast.Tuple() | ast.Set():
            return [_value(one, values) for one in node.elts]
    return _computed(node, values)


def _computed(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """Arithmetic and functions; None where an operand is missing or of the wrong kind, as with a division by 0."""
    if isinstance(node, ast.BinOp):
        left, right = _number(_value(node.left, values)), _number(_value(node.right, values))
        operands, compute = (left, right), _ARITHMETIC[type(node.op)]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        operands, compute = tuple(_value(one, values) for one in node.args), _FUNCTIONS[node.func.id]
    else:
        raise TypeError(f"{type(node).__name__} is not allowed")  # Expression refuses it before
    if any(one is None for one in operands):
        return None
    try:
        return compute(*operands)
    except (TypeError, ValueError, ArithmeticError):
        return None


def _both_or_either(truths: Collection[bool | None], are_all: bool) -> bool | None:
    """``and``, or ``or``: what is missing matters only where the others do not decide."""
    decides = not are_all
    if decides in truths:
        return decides
    return None if None in truths else are_all


def pairs_of(node: ast.Compare) -> list[tuple[ast.expr, ast.cmpop, ast.expr]]:
    """The comparisons of a chain: ``1 < a < 2`` has two."""
    sides = [node.left, *node.comparators]
    return list(zip(sides, node.ops, sides[1:], strict=False))


def is_null(node: ast.expr) -> bool:
    """Whether it is the literal that asks for what is missing."""
    return isinstance(node, ast.Constant) and node.value is None


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, values: Mapping[str, Any]) -> bool | None:
    if isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)) and (is_null(left) or is_null(right)):
        is_missing = _value(right if is_null(left) else left, values) is None
        return is_missing is isinstance(op, (ast.Is, ast.Eq))
    return _compare(op, _value(left, values), _value(right, values))


def _compare(op: ast.cmpop, left: Any, right: Any) -> bool | None:
    if left is None or right is None or _is_nan(left) or _is_nan(right):
        return None
    if isinstance(op, (ast.In, ast.NotIn)):
        return _is_in(left, right, isinstance(op, ast.In))
    if isinstance(op, (ast.Is, ast.IsNot)):
        return bool((left == right) is isinstance(op, ast.Is))
    if not isinstance(op, (ast.Eq, ast.NotEq)):
        both_numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if not both_numbers and not (isinstance(left, str) and isinstance(right, str)):
            return None
    return bool(_COMPARISONS[type(op)](left, right))


def _is_in(left: Any, right: Any, wanted: bool) -> bool | None:
    if isinstance(right, str):
        return (left in right) is wanted if isinstance(left, str) else None
    return (left in right) is wanted if isinstance(right, (list, tuple)) else None


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, (int, float)) else None


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
