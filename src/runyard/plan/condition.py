"""Conditions on the values of a job: ``lr > 0.1 and model.name == 'big'``. Pure; nothing is executed as Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simpleeval import EvalWithCompoundTypes

from runyard.base import UsageError, unknown_name

_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs, "len": len}
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
#: texts in quotes, numbers, and names with the dots and slashes that keys of overrides may have.
_WORD = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\w.]*|[A-Za-z_]\w*(?:[./@][A-Za-z_]\w*)*")
_KEYWORDS = ("and", "or", "not", "in", "is", "if", "else")


class Condition:
    """An expression over swept names, read once.

    Names are written as in the overrides, or by their last part where that tells which is meant.

    Args:
        text: the expression.
        names: the swept names.
        where: the setting that holds it, for messages.

    Raises:
        UsageError: it is not an expression, or a name in it is not swept.
    """

    def __init__(self, text: str, names: Sequence[str], where: str) -> None:
        self.text, self._where = text, where
        self._slots: dict[str, str] = {}
        self._known = _readings(names)
        safe = _WORD.sub(self._word, text)
        self._evaluator = EvalWithCompoundTypes(functions=_FUNCTIONS)
        try:
            self._tree = ast.parse(safe.strip(), mode="eval").body
            _check(self._tree)
        except (SyntaxError, ValueError) as exc:
            raise UsageError(
                f"{text!r} is not an expression ({exc})",
                where=where,
                todo="compare swept names with values, such as: lr > 0.1 and model == 'big'",
            ) from exc

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        if word[0] in "'\"" or word[0].isdigit() or word in _FUNCTIONS or word in _KEYWORDS:
            return word
        if word in _CONSTANTS:
            return repr(_CONSTANTS[word])
        name = self._known.get(word)
        if name is None:
            raise unknown_name("name", word, sorted(set(self._known.values())), where=f"{self._where}: {self.text}")
        return self._slots.setdefault(name, f"v{len(self._slots)}")

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true of a job; a name that the job does not set is None.

        Raises:
            UsageError: it cannot be computed from these values.
        """
        self._evaluator.names = {slot: values.get(name) for name, slot in self._slots.items()}
        try:
            return bool(self._evaluator.eval(self.text, previously_parsed=self._tree))
        except Exception as exc:  # whatever an operator raises for operands of the wrong kind
            told = ", ".join(f"{name}={values.get(name)!r}" for name in self._slots)
            raise UsageError(
                f"{self.text!r} cannot be computed for {told} ({exc})",
                where=self._where,
                todo="compare numbers with numbers and texts with texts in quotes",
            ) from exc


def _readings(names: Sequence[str]) -> dict[str, str]:
    """What a name may be written as: itself without the signs of an override, or its last part where one has it."""
    bare = {name: name.lstrip("+~") for name in names}
    last = [re.split(r"[./@]", text)[-1] for text in bare.values()]
    short = {part: name for name, part in zip(names, last, strict=True) if last.count(part) == 1}
    return {**short, **{text: name for name, text in bare.items()}}


_ALLOWED = (
    ast.Expression, ast.Expr, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Call, ast.Name,
    ast.Constant, ast.List, ast.Tuple, ast.Set, ast.operator, ast.boolop, ast.unaryop, ast.cmpop, ast.expr_context,
)  # fmt: skip


def _check(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise ValueError(f"{type(node).__name__.lower()} has no place in it")
