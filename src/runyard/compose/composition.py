"""One composition for all jobs that make the same choices: what of it a job's values change, and no more.

What overrides that only set values can change is found by what they touch: the text of a config is put together from
the entries that they lie in, the run key from the top-level keys that they reach, directly or through interpolations.
Each such piece is made once for the values it depends on, and remembered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from hydra._internal import config_loader_impl
from omegaconf import DictConfig, ListConfig, Node, open_dict, read_write

from runyard.compose.clone import clone, clone_node, set_value
from runyard.compose.depends import Path, dependencies, node_at, overlap
from runyard.compose.document import Document, NotPiecewiseError, plain
from runyard.compose.effects import Change, Effects
from runyard.compose.hydratext import HydraText
from runyard.compose.key import (
    entry_json,
    key_of_entries,
    only_what_is_stable,
    output_dir,
    run_key,
)
from runyard.compose.line import Line, Part
from runyard.compose.patch import patched

#: None from Hydra 1.4 on, where a resolver makes the name when it is asked for.
overrides_dirname = getattr(config_loader_impl, "get_overrides_dirname", None)
#: pieces that are remembered of one composition at a time.
_REMEMBERED = 2_000
_NUMBERED: tuple[Path, ...] = (
    ("hydra", "job", "num"),
    ("hydra", "job", "id"),
    ("hydra", "job", "override_dirname"),
    ("hydra", "overrides"),
    ("hydra", "runtime", "output_dir"),
)
#: what composing makes of the config's values after they are set, and before the job runs.
_MADE = (("hydra", "job", "env_copy"), ("hydra", "job", "config", "override_dirname"))
_FILLED = frozenset(("num", "id", "override_dirname", "task"))
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTexts:
    """The files that Hydra writes into ``.hydra``, as it writes them."""

    config: str
    hydra: str
    overrides: str


class Composition:
    """What Hydra composes from the overrides of a sweep that choose, and the jobs that differ from it in values.

    ``config`` is the whole config; it is changed and restored while a job is looked at.
    """

    def __init__(self, config: DictConfig, exclude: Collection[str] = ()) -> None:
        self.config = config
        self._exclude = exclude
        self.task = task_of(config)
        self._entries: dict[Any, str | None] | None = None
        self._reach: dict[Any, frozenset[Path] | None] = {}
        self._known: dict[Any, Any] = {}
        self._effects = Effects(self.task)
        self._document: Document | None = None
        self._hydra_text: HydraText | None = None

    def share_cache(self, master: DictConfig) -> None:
        """Takes over what the sweep's own config has resolved so far, such as ``${now:}``."""
        for config in (self.config, self.task):
            config._metadata.resolver_cache = master._metadata.resolver_cache

    # -- what can be told of a job without composing it -----------------------------------------------------------

    def is_common(self) -> bool:
        """Whether what Hydra makes while composing is the same for all jobs: no value of the task's is used for it."""
        variables = self.config.hydra.job._get_node("env_set")
        return not variables._is_interpolation() and all(dependencies(self.config, p) == frozenset() for p in _MADE)

    def is_local(self, line: Line) -> bool:
        """Whether each override of a job does what it does whatever the others are, and at its own place."""
        values = tuple(part for part in line if not part.chooses)
        if not self._effects.is_local(values):
            return False
        refers = any(part.refers for part in values)
        return not refers or not self.varies("hydra.job.name", line)  # composing looks whether there is one

    # -- the whole config -----------------------------------------------------------------------------------------

    @contextmanager
    def of_job(self, line: Line, job: int) -> Iterator[DictConfig]:
        """The config of a job, on loan: it must not be changed or kept.

        Raises:
            NotLocalError: only a config of its own can tell.
        """
        with (
            patched(self.config, [p.override for p in line if not p.chooses]),
            _as_job(self.config, task_texts(line), job, self.dirname(line)),
        ):
            yield self.config

    # -- the run key ----------------------------------------------------------------------------------------------

    def run_key(self, line: Line) -> str:
        """The run key of the job.

        Raises:
            NotLocalError: only a config of its own can tell.
        """
        values = [part for part in line if not part.chooses]
        places = [self._effects.place(part) for part in values]
        if any(part.refers for part in values) or None in places:
            with patched(self.task, [part.override for part in values]):
                return run_key(self.task, self._exclude)
        entries = dict(self._base_entries())
        reached: dict[Any, list[Part]] = {}
        for part, place in zip(values, places, strict=True):
            for key in self._reached_by(place or ()):
                reached.setdefault(key, []).append(part)
        for key, parts in reached.items():
            entries[key] = self._entry_json(key, tuple(parts))
        return key_of_entries({key: text for key, text in entries.items() if text is not None})

    def _base_entries(self) -> dict[Any, str | None]:
        if self._entries is None:
            with only_what_is_stable(self.task):
                self._entries = {key: entry_json(self.task, key, self._exclude) for key in self.task}
            self._reach = {
                key: dependencies(self.task, (key,), hydra_counts=False) if isinstance(key, str) else None
                for key in self.task
            }
        return self._entries

    def _reached_by(self, place: Path) -> tuple[Any, ...]:
        """The top-level keys whose value may change with what lies at a place."""
        return self._remember(("reach", place), lambda: self._find_reached(place))

    def _find_reached(self, place: Path) -> tuple[Any, ...]:
        def is_reached(key: Any) -> bool:
            reach = self._reach[key]
            return reach is None or place[0] == key or any(overlap(place, other) for other in reach)

        found = [key for key in self._base_entries() if is_reached(key)]
        return tuple(found if place[0] in found else [*found, place[0]])

    def _entry_json(self, key: Any, parts: Line) -> str | None:
        def make() -> str | None:
            with patched(self.task, [part.override for part in parts]), only_what_is_stable(self.task):
                is_there = key in self.task.__dict__["_content"]  # a missing value counts
                return entry_json(self.task, key, self._exclude) if is_there else None

        return self._remember(("json", key, *(part.text for part in parts)), make)

    # -- the texts ------------------------------------------------------------------------------------------------

    def texts(self, line: Line, job: int, run_dir: str) -> JobTexts:
        """The files in ``.hydra`` of the job.

        Raises:
            NotPiecewiseError: they cannot be put together from pieces.
            NotLocalError: as above.
        """
        if self._document is None:
            self._document = Document(self.task)
        document = self._document
        changes = self._effects.changes(part for part in line if not part.chooses)
        entries = {change.place: self._entry_yaml(document, change) for change in changes}
        if self._hydra_text is None:
            self._hydra_text = HydraText(self.config)
        texts = task_texts(line)
        return JobTexts(
            config=document.with_entries(entries),
            hydra=self._hydra_text.of_job(texts, job, self.dirname(line), run_dir),
            overrides=self._hydra_text.overrides(texts),
        )

    def dirname(self, line: Line) -> str | None:
        """``hydra.job.override_dirname``; None where Hydra makes it on demand."""
        if overrides_dirname is None:
            return None
        rules = self._remember("dirname", lambda: _dirname_rules(self.config))
        task = [part.override for part in line if not part.is_hydras]
        name: str = overrides_dirname(overrides=task, **rules)
        return name

    def _entry_yaml(self, document: Document, change: Change) -> str:
        """The lines at a place when some overrides are applied; empty when nothing is there any more."""

        def make() -> str:
            place, existed = change.place, document.has(change.place)
            with patched(self.task, [part.override for part in change.parts]):
                node = node_at(self.task, place)
                removes = any(part.override.is_delete() for part in change.parts)
                if removes and (node is not None or not existed):
                    raise NotPiecewiseError("an entry that comes, goes or moves to the end")
                return "" if node is None else document.entry(place, plain(node))

        return self._remember(("yaml", change.place, *(part.text for part in change.parts)), make)

    # -- the folder -----------------------------------------------------------------------------------------------

    def output_dir(self, line: Line, job: int) -> str:
        """The folder that Hydra would give the job, absolute.

        Raises:
            NotLocalError: as above.
            omegaconf.errors.OmegaConfBaseException: it cannot be resolved.
        """
        subdir = self.config.hydra.sweep._get_node("subdir")._value()
        if subdir == "${hydra.job.num}" and not self.varies("hydra.sweep.dir", line):
            return os.path.join(self._remember("dir", self._sweep_dir), str(job))
        with self.of_job(line, job) as config:
            return output_dir(config)

    def _sweep_dir(self) -> str:
        with patched(self.config, ()):
            return os.path.dirname(output_dir(self.config, subdir="0"))

    def varies(self, key: str, line: Line) -> bool:
        """Whether what stands at a dotted key may differ between jobs that make these choices."""
        path = tuple(key.split("."))
        reach = self._remember(("varies", key), lambda: dependencies(self.config, path))
        if reach is None:
            return True
        places = [self._effects.place(part) for part in line if not part.chooses]
        return any(p is None or overlap(p, r) for p in (*places, *_NUMBERED) for r in (path, *reach))

    # ---------------------------------------------------------------------------------------------------------------

    def _remember(self, key: Any, make: Callable[[], T]) -> T:
        if key in self._known:
            found: T = self._known[key]
            return found
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        made = self._known[key] = make()
        return made


def task_of(config: DictConfig) -> DictConfig:
    """A copy of a composed config as its task gets it: without the ``hydra`` node."""
    content = config.__dict__["_content"]
    config.__dict__["_content"] = {key: node for key, node in content.items() if key != "hydra"}
    try:
        task = clone(config)
    finally:
        config.__dict__["_content"] = content
    return task


def fill_job(hydra: DictConfig, texts: Sequence[str], job: int | None, dirname: str | None) -> None:
    """Writes into a ``hydra`` node what differs between jobs that make the same choices.

    The nodes are set past the flags: the node may be read-only, and is Hydra's own to fill.

    Args:
        hydra: the node.
        texts: the overrides of the job, less those of ``hydra.*``.
        job: its number; None leaves it as it is.
        dirname: ``hydra.job.override_dirname``; None where there is no such value.
    """
    content = hydra.__dict__["_content"]
    _set_texts(content["overrides"].__dict__["_content"]["task"], texts)
    fields = content["job"].__dict__["_content"]
    if dirname is not None:
        set_value(fields["override_dirname"], dirname)
    if job is not None:
        set_value(fields["id"], job)
        set_value(fields["num"], job)


def _set_texts(task: ListConfig, texts: Sequence[str]) -> None:
    """Fills a list of texts, as appending them one by one would."""
    nodes = []
    for index, text in enumerate(texts):
        node = clone_node(_sample_of(task), task)
        node.__dict__["_metadata"].key = index
        set_value(node, text)
        nodes.append(node)
    task.__dict__["_content"] = nodes


_samples: dict[Any, Node] = {}


def _sample_of(task: ListConfig) -> Node:
    """What appending a text to such a list puts there."""
    kind = task._metadata.element_type
    if kind not in _samples:
        twin = clone_node(task, None)
        with read_write(twin), open_dict(twin):
            twin.append("text")
        _samples[kind] = twin.__dict__["_content"][-1]
    return _samples[kind]


@contextmanager
def _as_job(config: DictConfig, texts: Sequence[str], job: int, dirname: str | None) -> Iterator[None]:
    """While it lasts the config's ``hydra`` node is that of a job."""
    hydra = config.__dict__["_content"]["hydra"]
    nodes = [hydra.__dict__["_content"][key] for key in ("job", "overrides")]
    kept = [(node, node.__dict__["_content"]) for node in nodes]
    try:
        for node, content in kept:
            copied = {key: clone_node(child, node) if key in _FILLED else child for key, child in content.items()}
            node.__dict__["_content"] = copied
        fill_job(hydra, texts, job, dirname)
        yield
    finally:
        for node, content in kept:
            node.__dict__["_content"] = content


def _dirname_rules(config: DictConfig) -> dict[str, Any]:
    rules = config.hydra.job.config.override_dirname
    return {"kv_sep": rules.kv_sep, "item_sep": rules.item_sep, "exclude_keys": list(rules.exclude_keys)}


def task_texts(line: Line) -> list[str]:
    """The overrides of a job, less those of ``hydra.*``."""
    return [part.text for part in line if not part.is_hydras]
