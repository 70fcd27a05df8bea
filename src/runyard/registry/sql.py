"""A condition on runs as SQL with bound parameters, as far as SQL says the same; the rest is for Python.

SQLite's own ideas are kept out: that a text is greater than any number, that ``'a' + 1`` is 1, that ``1 / 2`` is 0.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.registry.expression import Expression, Name, is_null, pairs_of

#: where a run's fields stand; ``r`` is its row, ``s`` that of its sweep.
COLUMNS: Mapping[str, str] = {
    "state": "r.state",
    "experiment": "s.experiment",
    "sweep_id": "s.sweep_id",
    "job": "r.job",
    "seconds": "r.seconds",
    "git_sha": "r.git_sha",
    "host": "r.host",
    "tags": "s.tags",
    "created_at": "s.created_at",
    "launcher": "s.launcher",
    "note": "s.note",
    "run_key": "r.run_key",
}
_NUMBERS = ("job", "seconds")
_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "=", ast.NotEq: "<>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_LARGEST = 2**63 - 1
_MOST = 200  # parts of one condition: SQLite takes so deep an expression, and so many parameters


@dataclass(frozen=True, slots=True)
class Filter:
    """SQL for the conditions that it can say, ``1`` for none; its parameters; and the conditions that are left."""

    sql: str
    parameters: tuple[Any, ...]
    rest: tuple[ast.expr, ...]


class _CannotSay(Exception):
    """SQL has no equal for it."""


def filter_of(expression: Expression | None, keys: Mapping[str, Collection[str]]) -> Filter:
    """The filter for an expression.

    Args:
        expression: None lets all runs pass.
        keys: under which keys a parameter stands in the runs: ``lr`` can be ``lr`` and ``+lr``.
    """
    said, parameters, rest = [], [], []
    for node in expression.conjuncts if expression is not None else ():
        try:
            sql, values = _Translation(expression.names, keys).condition(node)  # type: ignore[union-attr]
        except _CannotSay:
            rest.append(node)
            continue
        said.append(sql)
        parameters += values
    return Filter(" AND ".join(said) or "1", tuple(parameters), tuple(rest))


def value_sql(name: Name, keys: Mapping[str, Collection[str]]) -> tuple[str, list[Any]] | None:
    """SQL for what a run has under a name, NULL for nothing; None where SQL cannot name it."""
    try:
        return _Translation({"v": name}, keys).value(ast.Name(id="v"))
    except _CannotSay:
        return None


_Said = tuple[str, list[Any]]


class _Translation:
    def __init__(self, names: Mapping[str, Name], keys: Mapping[str, Collection[str]]) -> None:
        self._names, self._keys = names, keys
        self._parts = 0

    def condition(self, node: ast.expr) -> _Said:
        self._parts += 1
        if self._parts > _MOST:
            raise _CannotSay
        if isinstance(node, ast.BoolOp):
            return _joined([self.condition(part) for part in node.values], isinstance(node.op, ast.And))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            sql, values = self.condition(node.operand)
            return f"NOT {sql}", values
        if isinstance(node, ast.Compare):
            return _joined([self._comparison(*pair) for pair in pairs_of(node)], True)
        raise _CannotSay

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> _Said:
        if is_null(left) or is_null(right):
            return self._missing(right if is_null(left) else left, op)
        if isinstance(op, (ast.In, ast.NotIn)):
            sql, values = self._within(left, right)
            return (sql if isinstance(op, ast.In) else f"NOT {sql}"), values
        sign = _SIGNS.get(type(op))
        if sign is None or self._is_tags(left) or self._is_tags(right):
            raise _CannotSay
        if isinstance(left, ast.Constant) and not isinstance(right, ast.Constant):
            left, right, sign = right, left, {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(sign, sign)
        literal = _literal(right)
        if sign not in ("=", "<>"):
            return self._order(left, sign, literal)
        sql, values = self.value(left)
        return f"({sql} {sign} ?)", [*values, literal]

    def _order(self, node: ast.expr, sign: str, literal: Any) -> _Said:
        """Greater or less, of two numbers or of two texts; with the fewest looks into JSON for the usual number."""
        if isinstance(literal, str):
            if isinstance(node, ast.Name) and self._names[node.id].kind == "params":
                raise _CannotSay  # a list that a parameter is would be compared as the text that SQLite makes of it
            sql, values = self.value(node)
            return f"(CASE typeof({sql}) WHEN 'text' THEN {sql} {sign} ? END)", [*values, *values, literal]
        if isinstance(node, ast.Name) and self._names[node.id].kind == "metrics":
            sql, values = self._json("r.metrics", [self._names[node.id].name])
            infinite = f"CASE {sql} WHEN 'Infinity' THEN 9e999 {sign} ? WHEN '-Infinity' THEN -9e999 {sign} ? END"
            looks = [*values, literal, literal]
        else:
            sql, values = self.value(node)
            infinite, looks = "NULL", []
        text = f"(CASE typeof({sql}) WHEN 'text' THEN {infinite} ELSE {sql} {sign} ? END)"
        return text, [*values, *looks, *values, literal]

    def _missing(self, node: ast.expr, op: ast.cmpop) -> _Said:
        if not isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)) or not isinstance(node, ast.Name):
            raise _CannotSay
        name = self._names[node.id]
        if name.kind == "metrics":  # NaN is not missing here
            sql, values = self._json("r.metrics", [name.name])
        else:
            sql, values = self.value(node)
        return f"({sql} {'IS' if isinstance(op, (ast.Is, ast.Eq)) else 'IS NOT'} NULL)", values

    def _within(self, left: ast.expr, right: ast.expr) -> _Said:
        if isinstance(right, (ast.List, ast.Tuple, ast.Set)):
            if not right.elts or len(right.elts) > _MOST or self._is_tags(left):
                raise _CannotSay
            sql, values = self.value(left)
            return f"({sql} IN ({', '.join('?' * len(right.elts))}))", [*values, *map(_literal, right.elts)]
        if not isinstance(right, ast.Name) or self._names[right.id].kind != "field":
            raise _CannotSay
        text = _literal(left)
        if not isinstance(text, str) or self._names[right.id].name in _NUMBERS:
            raise _CannotSay
        if self._is_tags(right):
            return "(EXISTS (SELECT 1 FROM json_each(s.tags) WHERE value = ?))", [text]
        sql, values = self.value(right)
        return f"(instr({sql}, ?) > 0)", [*values, text]

    def _is_tags(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self._names[node.id] == Name("field", "tags")

    def value(self, node: ast.expr) -> _Said:
        """SQL for a name; a metric as a number, with NaN as NULL."""
        if not isinstance(node, ast.Name):
            raise _CannotSay
        name = self._names[node.id]
        if name.kind == "field":
            return COLUMNS[name.name], []
        if name.kind == "params":
            return self._json("r.params", sorted(self._keys.get(name.name, ())) or [name.name])
        sql, values = self._json("r.metrics", [name.name])
        case = (
            f"(CASE {sql} WHEN 'NaN' THEN NULL WHEN 'Infinity' THEN 9e999 WHEN '-Infinity' THEN -9e999 ELSE {sql} END)"
        )
        return case, [*values, *values]

    def _json(self, column: str, keys: Sequence[str]) -> _Said:
        if any('"' in key or "\\" in key for key in keys):
            raise _CannotSay
        parts = [f"json_extract({column}, ?)" for _ in keys]
        sql = parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"
        return sql, [f'$."{key}"' for key in keys]


def _joined(parts: Sequence[_Said], are_all: bool) -> _Said:
    sql = (" AND " if are_all else " OR ").join(part for part, _ in parts)
    return f"({sql})", [value for _, values in parts for value in values]


def _literal(node: ast.expr) -> Any:
    """A text or number that SQLite holds as Python does."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        sign, node = (-1 if isinstance(node.op, ast.USub) else 1), node.operand
        if not isinstance(node, ast.Constant) or isinstance(node.value, str):
            raise _CannotSay
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool):
        return int(value) * sign
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return value * sign
    if isinstance(value, float):
        return value * sign
    # a list that a parameter is comes out of SQLite as a text such as "[1,2]"
    if isinstance(value, str) and sign == 1 and not value.startswith(("[", "{")):
        return value
    raise _CannotSay
