"""Results: what came out of one sweep or several, as DataFrames. The face of this room for notebooks."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from runyard.analyze.absent import absent
from runyard.analyze.emitted import emitted_rows, emitted_tables
from runyard.analyze.jobtable import to_frame
from runyard.analyze.load import LoadedSweep
from runyard.analyze.mixture import MIXTURE_KINDS, MixedRun, Mixture
from runyard.analyze.pool import Pool, pool_of
from runyard.analyze.ranking import UNKNOWN, WORSE, Mode, ranking
from runyard.analyze.statement import Wanted, free_name, statement
from runyard.base import State, UsageError, unknown_name
from runyard.statistics import Method

_SHOWN = 8  # names in a line
By = str | Sequence[str] | None
Value = Literal["mean", "std", "sem", "low", "high", "n"]


class Results:
    """Results of one sweep or of several; ``runyard.load`` makes it.

    It knows what lay on disk when it was made. Names of metrics and of swept values are those of results.csv; a name
    without its ``+``, or its last dotted part, will do where that is clear. DataFrames are made anew at every call.
    """

    def __init__(self, sweeps: Sequence[LoadedSweep]) -> None:
        self._pool: Pool = pool_of(sweeps)

    @property
    def sweeps(self) -> tuple[LoadedSweep, ...]:
        """The sweeps, each with its records."""
        return self._pool.sweeps

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the swept names; of several sweeps the one that names the sweep comes first."""
        return self._pool.table.names

    @property
    def metrics(self) -> tuple[str, ...]:
        """Columns of the metrics, in the order in which jobs report them."""
        return self._pool.table.metrics

    @property
    def results(self) -> pd.DataFrame:
        """DataFrame: one row per job; columns as in results.csv; of several sweeps ``sweep, experiment`` first."""
        return to_frame(self._pool.table.columns)

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences on what on disk could not be read; empty when all was well."""
        return tuple(problem for sweep in self.sweeps for problem in sweep.problems)

    @cached_property
    def mixtures(self) -> tuple[Mixture, ...]:
        """What an average over all of these runs mixes; empty when nothing. See ``Mixture``."""
        return self._pool.mixtures_among(self._looked_at)

    @cached_property
    def _looked_at(self) -> list[MixedRun]:
        return self._pool.mixed_runs()

    @property
    def missing(self) -> pd.DataFrame:
        """What has no result, and why.

        Returns:
            DataFrame: one row per job that did not complete or reported no metric; ``job``, the swept names, ``state``,
            ``why``, ``attempts``, ``run_dir``; of several sweeps ``sweep`` first.
        """
        return to_frame(absent(self._pool.table, self._pool.runs, self._looked_at))

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that jobs emitted."""
        return tuple(emitted_tables(self._pool.runs))

    def table(self, name: str) -> pd.DataFrame:
        """The rows that jobs emitted into a table, in the order of the jobs.

        Returns:
            DataFrame: one row per emitted row; ``sweep`` where there are several, ``job``, ``state`` and the swept
            names first. A column of the rows that has one of these names becomes ``<table>.<column>``.

        Raises:
            UsageError: no job has such a table.
        """
        sources = emitted_tables(self._pool.runs)
        if name not in sources:
            raise unknown_name("table", name, sources)
        return emitted_rows(self._pool.table, name, sources[name])

    def summary(
        self,
        by: By = None,
        *,
        metrics: str | Sequence[str] | None = None,
        ci: float = 0.95,
        method: Method = "student",
        proportions: Mapping[str, tuple[str, str]] | None = None,
        strict: bool = False,
        allow: Collection[str] = (),
    ) -> pd.DataFrame:
        """The mean of each metric over the jobs that share values, with its spread and interval.

        Args:
            by: names to group by, also any other column of the results; None for all swept names but seeds (and the
                sweep, where there are several), an empty list for all jobs together.
            metrics: only these; None for all.
            ci: nominal confidence of the intervals, between 0 and 1.
            method: ``student``, or ``bootstrap`` (bias-corrected and accelerated).
            proportions: further metrics by name, each the pooled quotient of two: ``{"asr": ("successes", "trials")}``.
                Their interval is Wilson's.
            strict: refuse where runs are mixed, see ``mixtures``.
            allow: kinds of mixtures that ``strict`` lets pass, such as ``host``.

        Returns:
            DataFrame, tidy: one row per metric and group; the names, then ``metric, n, missing, failed, left_out, mean,
            std, sem, low, high, mixed``. ``n`` values are in the mean; ``missing`` and ``failed`` jobs have none, and
            ``left_out`` completed without a finite value. ``mixed`` names what the group's runs mix. With proportions
            ``successes`` and ``trials`` too.

        Raises:
            UsageError: a name is not known; ``ci`` or ``method`` is none; with ``strict``, runs are mixed.
        """
        self._check(ci, method, strict, allow)
        pooled = {name: (self._metric(a), self._metric(b)) for name, (a, b) in (proportions or {}).items()}
        chosen = self.metrics if metrics is None else [self._metric(name) for name in _listed(metrics)]
        if metrics is None and pooled:
            chosen = ()
        wanted = Wanted(by=self._by(by), metrics=chosen, level=ci, method=method, proportions=pooled)
        return to_frame(statement(self._pool.table, self._looked_at, wanted))

    def ranking(
        self,
        metric: str,
        mode: Mode = "max",
        *,
        by: By = None,
        n: int = 10,
        ci: float = 0.95,
        strict: bool = False,
        allow: Collection[str] = (),
    ) -> pd.DataFrame:
        """The ``n`` best groups by the mean of a metric, each beside the first.

        Args:
            metric: the metric.
            mode: whether the highest mean is the best (``max``) or the lowest (``min``).
            by: names to group by; None for all but those that repeat: seeds, and names such as ``day`` or ``fold``.
            n: at most so many groups.
            ci: nominal confidence of the intervals and of the verdicts.
            strict: refuse where runs are mixed.
            allow: kinds of mixtures that ``strict`` lets pass.

        Returns:
            DataFrame: one row per group, the best first; ``rank``, the names, the columns of ``summary``; ``behind``
            (how far the mean is from the first's), ``p_value`` (after Holm's correction over the rows), ``test``, and
            ``verdict``: ``best``, ``worse``, ``no difference shown``, ``equal``, ``unknown``.

        Raises:
            UsageError: as ``summary``; ``mode`` or ``n`` is none.
        """
        self._check(ci, "student", strict, allow)
        if mode not in ("max", "min"):
            raise unknown_name("mode", mode, ("max", "min"))
        if n < 1:
            raise UsageError(f"at least one group must be asked for, not {n}")
        return to_frame(
            ranking(
                self._pool.table,
                self._looked_at,
                metric=self._metric(metric),
                by=self._pool.compared if by is None else self._by(by),
                mode=mode,
                level=ci,
                most=n,
            )
        )

    def best(
        self,
        metric: str,
        mode: Mode = "max",
        *,
        by: By = None,
        ci: float = 0.95,
        strict: bool = False,
        allow: Collection[str] = (),
    ) -> pd.Series[Any]:
        """The group with the best mean of a metric; for the arguments see ``ranking``.

        Returns:
            Series: the names, then as in ``summary``; ``next_behind`` and ``next_p_value`` of the second, and
            ``within_noise``: True where the second is not shown to be worse, False where it is, None where that cannot
            be told (no second, or too few values).

        Raises:
            UsageError: as ``ranking``; no job has a value.
        """
        two = self.ranking(metric, mode, by=by, n=2, ci=ci, strict=strict, allow=allow)
        if two.empty:
            raise UsageError(f"no completed job has a finite value of {metric!r}", where=self._where())
        first = two.astype(object).iloc[0].drop(["rank", "behind", "p_value", "test", "verdict"])
        second = two.astype(object).iloc[1] if len(two) > 1 else None
        verdict = UNKNOWN if second is None else str(second["verdict"])
        first["mixed"] = first["mixed"] if isinstance(first["mixed"], str) else None  # empty cells alone are NaN
        first["next_behind"] = None if second is None else second["behind"]
        first["next_p_value"] = None if second is None or pd.isna(second["p_value"]) else second["p_value"]
        first["within_noise"] = None if verdict == UNKNOWN else verdict != WORSE
        return first.rename("best")

    def pivot(
        self, metric: str, rows: str | Sequence[str], columns: str | Sequence[str], *, value: Value = "mean"
    ) -> pd.DataFrame:
        """A metric over two names, or two lists of names; averaged over all others.

        Args:
            metric: the metric.
            rows: what the rows are.
            columns: what the columns are.
            value: the cell: ``mean``, ``std``, ``sem``, ``low``, ``high`` (of the 95 % interval) or ``n``.

        Returns:
            DataFrame: index and columns in the order of the values; NaN where no job has that combination.

        Raises:
            UsageError: a name is not known, or is in both.
        """
        down, across = self._by(rows), self._by(columns)
        both = [name for name in down if name in across]
        if both:
            raise UsageError(f"{both[0]!r} is in the rows and in the columns", todo="name each once")
        if value not in ("mean", "std", "sem", "low", "high", "n"):
            raise unknown_name("value", value, ("mean", "std", "sem", "low", "high", "n"))
        frame = self.summary([*down, *across], metrics=metric)
        cells = frame.pivot(index=list(map(free_name, down)), columns=list(map(free_name, across)), values=value)
        if len(down) == 1:
            cells.index = cells.index.get_level_values(0)
        if len(across) == 1:
            cells.columns = cells.columns.get_level_values(0)
        return cells

    def refuse_mixtures(self, allow: Collection[str] = ()) -> None:
        """Nothing, when the runs mix nothing but the kinds that are allowed.

        Raises:
            UsageError: they do, with a sentence for each; or a kind is not known.
        """
        for kind in allow:
            if kind not in MIXTURE_KINDS:
                raise unknown_name("kind of mixture", kind, MIXTURE_KINDS)
        found = [mixture for mixture in self.mixtures if mixture.kind not in allow]
        if found:
            kinds = ", ".join(mixture.kind for mixture in found)
            said = "".join(f"\n    {mixture.sentence}" for mixture in found)
            raise UsageError(
                f"refused, because runs are mixed ({kinds}):{said}",
                where=self._where(),
                todo="run what is missing or differs again (runyard resume), allow the kind, or do not ask strictly",
            )

    def _check(self, ci: float, method: str, strict: bool, allow: Collection[str]) -> None:
        if not 0.0 < ci < 1.0:
            raise UsageError(f"a confidence level lies between 0 and 1, not {ci}", todo="for 95 % give 0.95")
        if method not in ("student", "bootstrap"):
            raise unknown_name("method", method, ("student", "bootstrap"))
        if strict:
            self.refuse_mixtures(allow)

    def _where(self) -> str:
        return ", ".join(str(sweep.dir) for sweep in self.sweeps)

    def _metric(self, name: str) -> str:
        return self._pool.column("metric", name, self.metrics)

    def _by(self, by: By) -> list[str]:
        if by is None:
            return self._pool.settings
        return list(dict.fromkeys(self._name(name) for name in _listed(by)))

    def _name(self, name: str) -> str:
        columns = [column for column in self._pool.table.columns if column not in self.metrics]
        return name if name in columns else self._pool.column("swept name", name, self.names)

    def __len__(self) -> int:
        return len(self._pool.runs)

    def __repr__(self) -> str:
        return "\n".join(described(self))

    def _repr_html_(self) -> str:
        first, *rest = described(self)
        items = "".join(f"<li>{html.escape(line.strip())}</li>" for line in rest)
        return f"<p><b>{html.escape(first)}</b></p><ul>{items}</ul>"


def described(results: Results) -> list[str]:
    """What the results are, in a few lines: jobs by state, what was swept, what was reported, what is mixed."""
    sweeps, frame = results.sweeps, results.results
    states = frame["state"].value_counts()
    counts = ", ".join(f"{states[state.value]} {state}" for state in State if state.value in states)
    title = (
        f"sweep {sweeps[0].sweep.experiment}/{sweeps[0].sweep.sweep_id}"
        if len(sweeps) == 1
        else f"{len(sweeps)} sweeps"
    )
    lines = [f"Results of {title}: {len(results)} job{'' if len(results) == 1 else 's'} ({counts})"]
    swept = [f"{name} ({frame[name].nunique(dropna=False)})" for name in results.names]
    for what, names in (("swept", swept), ("metrics", results.metrics), ("tables", results.tables)):
        if names:
            lines.append(f"  {what}: {', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''}")
    return lines + [f"  mixed: {mixture.sentence}" for mixture in results.mixtures]


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
