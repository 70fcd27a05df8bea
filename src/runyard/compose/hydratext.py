"""The texts of ``.hydra/hydra.yaml`` and ``.hydra/overrides.yaml``, of which a few lines differ between jobs."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from runyard.compose.document import Document, NotPiecewiseError, Path, bare_text, dump

_TASK: Path = ("hydra", "overrides", "task")
_NUM: Path = ("hydra", "job", "num")
_ID: Path = ("hydra", "job", "id")
_DIRNAME: Path = ("hydra", "job", "override_dirname")
_OUTPUT: Path = ("hydra", "runtime", "output_dir")
_SAMPLE, _OTHER = 7, 12
_REMEMBERED = 2_000


class HydraText:
    """The ``hydra`` node of one composition as text, with room for what is a job's own."""

    def __init__(self, config: DictConfig) -> None:
        """Raises NotPiecewiseError where the text is not of the expected form."""
        self._document = Document(OmegaConf.masked_copy(config, "hydra"))
        self._has_dirname = self._document.has(_DIRNAME)
        needed = [_TASK, _NUM, _ID, _OUTPUT]
        if not all(self._document.has(path) for path in needed):
            raise NotPiecewiseError("the hydra node has other entries")
        self._num, self._id = self._around(_NUM, _SAMPLE), self._around(_ID, str(_SAMPLE))
        self._list_header = self._document.entry(_TASK, ["a"]).partition("\n")[0] + "\n"
        self._items: dict[str, str] = {}
        self._listed: dict[str, str] = {}

    def _around(self, path: Path, value: int | str) -> tuple[str, str]:
        """What stands before and behind a number in its line."""
        before, found, behind = self._document.entry(path, value).rpartition(str(_SAMPLE))
        if not found or self._document.entry(path, type(value)(_OTHER)) != f"{before}{_OTHER}{behind}":
            raise NotPiecewiseError("a number is not written as one")
        return before, behind

    def of_job(self, overrides: Sequence[str], job: int, dirname: str | None, run_dir: str) -> str:
        """The text for a job.

        Args:
            overrides: its overrides, less those of ``hydra.*``.
            job: its number.
            dirname: ``hydra.job.override_dirname``, or None where there is none.
            run_dir: its folder, absolute.
        """
        entries = {
            _TASK: self._list_header + "".join(map(self._item, overrides)) if overrides else self._empty(),
            _NUM: f"{self._num[0]}{job}{self._num[1]}",
            _ID: f"{self._id[0]}{job}{self._id[1]}",
            _OUTPUT: self._text(_OUTPUT, run_dir),
        }
        if dirname is not None and self._has_dirname:
            entries[_DIRNAME] = self._text(_DIRNAME, dirname)
        return self._document.with_entries(entries)

    def overrides(self, overrides: Sequence[str]) -> str:
        """The text of ``overrides.yaml``."""
        return "".join(map(self._list_item, overrides)) if overrides else dump([])

    def _empty(self) -> str:
        return self._document.entry(_TASK, [])

    def _item(self, override: str) -> str:
        """An override's lines in the list inside the ``hydra`` node."""
        bare = bare_text(override)
        if bare is not None:
            return f"    - {bare}\n"
        if override not in self._items:
            if len(self._items) >= _REMEMBERED:
                self._items.clear()
            self._items[override] = self._document.entry(_TASK, [override])[len(self._list_header) :]
        return self._items[override]

    def _list_item(self, override: str) -> str:
        """An override's lines in a list of its own."""
        bare = bare_text(override)
        if bare is not None:
            return f"- {bare}\n"
        if override not in self._listed:
            if len(self._listed) >= _REMEMBERED:
                self._listed.clear()
            self._listed[override] = dump([override])
        return self._listed[override]

    def _text(self, path: Path, value: str) -> str:
        return self._document.entry(path, value)
