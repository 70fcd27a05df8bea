"""A config as the YAML text that Hydra writes, so that a changed entry costs the text of that entry alone.

The text of a mapping is the text of its entries, one after another; what an entry looks like depends on nothing but
its value and how deep it lies (long lines are folded by their column). So the text of a config with a few entries
changed is the text without the change, with those entries' lines in the place of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf._utils import get_omega_conf_dumper

Path = tuple[str, ...]
_TEXT = "tag:yaml.org,2002:str"
_EMPTY = "{}\n"
_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")
_BARE = re.compile(r"(?:/[\w./=,+-]*|\+{0,2}[A-Za-z_][\w./,+@-]*=[\w./=,+-]*)", re.ASCII)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotPiecewiseError(Exception):
    """The text cannot be put together from pieces: it must be written whole."""


class Document:
    """The text of one config, and where each entry of its mappings stands in it."""

    def __init__(self, config: DictConfig) -> None:
        """Raises NotPiecewiseError for a text with anchors, or with keys that are not one line."""
        self.text = OmegaConf.to_yaml(config)
        self._spans: dict[Path, tuple[int, int]] = {}
        self._is_empty = self.text == _EMPTY
        if self._is_empty:  # an application without a config, to which every job adds its keys
            self.text, self._spans[()] = "", (0, 0)
            return
        if "&id0" in self.text or _OTHER_BREAKS.search(self.text):
            raise NotPiecewiseError("anchors, or line breaks that are none to Python")
        try:
            root = yaml.compose(self.text, Loader=_LOADER)
        except yaml.YAMLError as error:
            raise NotPiecewiseError("a text that cannot be read again") from error
        if not isinstance(root, yaml.MappingNode) or root.flow_style:
            raise NotPiecewiseError("no mapping")
        lines = [0]
        for line in self.text.split("\n")[:-1]:
            lines.append(lines[-1] + len(line) + 1)
        self._enter(root, (), lines, len(lines) - 1)
        self._spans[()] = (0, len(self.text))

    def _enter(self, node: yaml.MappingNode, path: Path, lines: Sequence[int], last: int) -> None:
        starts = [key.start_mark.line for key, _ in node.value]
        for (key, value), first, end in zip(node.value, starts, [*starts[1:], last], strict=True):
            if key.tag != _TEXT:
                continue
            place = (*path, key.value)
            self._spans[place] = (lines[first], lines[end])
            if isinstance(value, yaml.MappingNode) and not value.flow_style:
                self._enter(value, place, lines, end)

    def has(self, path: Path) -> bool:
        """Whether there is an entry at a path."""
        return path in self._spans

    def entry(self, path: Path, value: Any) -> str:
        """The lines of an entry with another value.

        Args:
            path: where it is, or would be; all its keys are texts.
            value: as ``OmegaConf.to_container(..., enum_to_str=True)`` gives it.

        Raises:
            NotPiecewiseError: the entry cannot be told from what is around it.
        """
        bare = bare_text(value)
        if bare is not None and (key := self._key_of(path)) is not None:
            return f"{key}: {bare}\n"
        whole: Any = value
        for key in reversed(path):
            whole = {key: whole}
        text = dump(whole)
        if "&id0" in text:
            raise NotPiecewiseError("anchors")
        headers = self._headers(path)
        if not text.startswith(headers):
            raise NotPiecewiseError("a key of more than one line")
        return text[len(headers) :]

    def _key_of(self, path: Path) -> str | None:
        """The key of a line with a leaf, as it is written; None where it is not one plain line."""
        if path not in self._spans:
            return None
        start, end = self._spans[path]
        key, colon, rest = self.text[start:end].partition(": ")
        is_plain = colon and rest.count("\n") == 1 and path[-1] in (key.strip(), key.strip()[1:-1])
        return key if is_plain else None

    def _headers(self, path: Path) -> str:
        """The lines that name the mappings around an entry."""
        found = []
        for depth in range(1, len(path)):
            start, end = self._spans[path[:depth]]
            header, newline, _ = self.text[start:end].partition("\n")
            if not header.endswith(":"):
                raise NotPiecewiseError("an empty mapping, or a key of more than one line")
            found.append(header + newline)
        return "".join(found)

    def with_entries(self, entries: Mapping[Path, str]) -> str:
        """The text with other lines at some paths: replaced, removed (empty text), or new at the end of their mapping.

        No path may lie inside another. New entries of one mapping come in the order of ``entries``.

        Raises:
            NotPiecewiseError: a mapping would lose all its entries.
        """
        self._check_removed([path for path, lines in entries.items() if not lines])
        cuts = []
        for order, (path, lines) in enumerate(entries.items()):
            if path in self._spans:
                cuts.append((*self._spans[path], 0, order, lines))
            else:  # where several mappings end, the innermost comes first
                end = self._spans[path[:-1]][1]
                cuts.append((end, end, -len(path), order, lines))
        cuts.sort()
        parts: list[str] = []
        at = 0
        for start, end, _, _, lines in cuts:
            parts += (self.text[at:start], lines)
            at = end
        text = "".join((*parts, self.text[at:]))
        return _EMPTY if self._is_empty and not text else text

    def _check_removed(self, paths: Sequence[Path]) -> None:
        for outer in {path[:-1] for path in paths}:
            if all(path in paths for path in self._spans if path and path[:-1] == outer):
                raise NotPiecewiseError("a mapping without entries")


def bare_text(value: Any) -> str | None:
    """How YAML writes a value that it writes as it is; None where only the dumper can tell.

    Texts are those in which nothing can be taken for something else, and that have no space to fold at.
    """
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    return value if type(value) is str and _BARE.fullmatch(value) else None


def dump(value: Any) -> str:
    """YAML of plain values, as OmegaConf writes it."""
    text: str = yaml.dump(
        value, default_flow_style=False, allow_unicode=True, sort_keys=False, Dumper=get_omega_conf_dumper()
    )
    return text


def plain(node: Any) -> Any:
    """What OmegaConf would dump of a node."""
    if OmegaConf.is_dict(node) or OmegaConf.is_list(node):
        return OmegaConf.to_container(node, resolve=False, enum_to_str=True)
    holder = OmegaConf.create({"value": None})
    holder.__dict__["_content"]["value"] = node
    held = node.__dict__["_parent"]
    try:
        container: Any = OmegaConf.to_container(holder, resolve=False, enum_to_str=True)
        return container["value"]
    finally:
        node.__dict__["_parent"] = held
