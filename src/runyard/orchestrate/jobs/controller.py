"""The controller's loop: places jobs, watches their time, records their ends, and stops when told to."""

from __future__ import annotations

import heapq
import signal
import socket
import time

from runyard.base import State, append_text
from runyard.compose import wording
from runyard.execute import Ended, Lease, Pool, Resources, Slots, Started
from runyard.orchestrate.jobs.feed import Earlier, Feed
from runyard.orchestrate.jobs.live import Live, report_of, write_for_dead
from runyard.orchestrate.jobs.orders import Orders
from runyard.orchestrate.jobs.outcomes import Hooks, Outcomes
from runyard.orchestrate.jobs.returns import Returned
from runyard.orchestrate.jobs.running import JobFacts, brief, refused
from runyard.orchestrate.jobs.stop import StopSignal
from runyard.orchestrate.jobs.worker import JobReport
from runyard.orchestrate.opening import LauncherSettings
from runyard.orchestrate.planning import PlannedJob
from runyard.record import Attempt, Journal, RunPaths, RunRecord

#: how long the loop waits for an event at the most, in seconds; the display is redrawn as often.
_TURN_S = 0.1
#: jobs that are dealt with in one go, before the loop looks at what has happened.
_BURST = 64
#: the upkeep (disk, display, registry) waits until nothing has happened for so long, in seconds,
_QUIET_S = 0.02
#: but is put off for no longer than this.
_UPKEEP_WITHIN_S = 0.25
#: jobs that wait in line at the most, each for the room of one that runs.
_IN_LINE = 8


class Controller:
    """Runs jobs until all have ended, the user stops the sweep, or a rule does."""

    def __init__(
        self,
        *,
        pool: Pool,
        slots: Slots,
        settings: LauncherSettings,
        journal: Journal,
        orders: Orders,
        hooks: Hooks,
        stop: StopSignal,
        returned: Returned,
    ) -> None:
        self._pool, self._slots, self._settings, self._journal = pool, slots, settings, journal
        self._orders, self._hooks, self._stop = orders, hooks, stop
        self._live: dict[int, Live] = {}  # by ticket: those that have a process
        self._line: dict[int, Live] = {}  # those that the pool starts in the place of one that ends well
        self._is_called_back = False
        self._unclear: list[tuple[float, Ended]] = []  # until when, what
        self._deadlines: list[tuple[float, int, int, State]] = []  # when, ticket, signal, why
        self._waiting: list[tuple[float, int, PlannedJob, tuple[Attempt, ...], int]] = []  # retries by due time
        self._tickets = 0
        self._upkept_at = 0.0
        self.outcomes = Outcomes(returned=returned)

    def run(self, feed: Feed) -> Outcomes:
        """Runs jobs in order until all have ended."""
        is_open = True
        while is_open or self._live or self._waiting or (self._line and not self._is_closing()):
            self._check_stop()
            if self._is_closing():
                is_open = False
                self._waiting.clear()
                self._call_back()
            else:
                self._start_retries()
                self._move_up()
            waits = False
            for _ in range(_BURST if is_open else 0):
                waits = self._slots.is_full
                if waits:
                    break
                following = feed.peek()
                is_open = following is not None
                if following is None:
                    break
                waits = not (self._take_over(*following) or self._start(*following, made=1))
                if waits:
                    break
                feed.pop()
            if waits and feed.is_alone:
                self._line_up(feed)
            if is_open and (feed.work_ahead() or not waits):
                self._turn(0.0)
            else:
                self._turn(_TURN_S, feed.glance() if is_open else None)
        return self.outcomes

    def _is_closing(self) -> bool:
        return self.outcomes.interrupted or self.outcomes.stopped_by_rule

    # -- starting ---------------------------------------------------------------------------------------------

    def _take_over(self, job: PlannedJob, earlier: Earlier) -> bool:
        """Takes over the result of an earlier run, where there is one; returns whether."""
        record = None if earlier else self._orders.ready_made(job)
        if record is not None:
            self._enter(record)
        return record is not None

    def _start(self, job: PlannedJob, earlier: Earlier, *, made: int) -> bool:
        """Starts a job where there is room for it; returns whether it has been dealt with."""
        wanted: Resources | None = None
        lease: Lease | None = None
        try:
            wanted = self._orders.resources(job)
            lease = self._slots.lend(wanted)
            if lease is None:
                return False
            live = self._live_of(job, earlier, wanted, made)
        except OSError:
            raise
        except Exception as error:  # whatever a config, or a resolver in it, raises is the fate of this job alone
            if lease is not None:
                self._slots.give_back(lease)
            self._refuse(self._orders.facts(job, earlier, wanted), error)
            return True
        self._tickets += 1
        self._place(self._tickets, live, lease)
        self._pool.launch(live.task(self._tickets, lease))
        return True

    def _live_of(self, job: PlannedJob, earlier: Earlier, wanted: Resources, made: int) -> Live:
        payload = self._orders.payload(job, earlier, wanted)
        return Live(job=job, attempt=len(earlier) + 1, made=made, payload=payload, wanted=wanted)

    def _place(self, ticket: int, live: Live, lease: Lease) -> None:
        """An attempt has got its room: its time runs."""
        live.lease, live.began = lease, time.monotonic()
        self._live[ticket] = live
        if self._settings.timeout_s is not None:
            due = live.began + self._settings.timeout_s
            heapq.heappush(self._deadlines, (due, ticket, signal.SIGTERM, State.TIMEOUT))

    def _refuse(self, facts: JobFacts, error: Exception) -> None:
        """Records a job that cannot be started: its config cannot be composed, or it asks for what there is not."""
        record = refused(facts, error, self._orders.provenance)
        write_for_dead(record)
        append_text(RunPaths(facts.run_dir).output_log, f"runyard: the job was not started: {wording(error)}\n")
        self._enter(record)

    def _enter(self, record: RunRecord) -> None:
        """Enters the end of a job that had no process."""
        self._journal.append("ended", job=record.job, run=brief(record))
        self._count(record, None)
        self._hooks.ended(record)

    def _is_retry_due(self) -> bool:
        return bool(self._waiting) and self._waiting[0][0] <= time.monotonic()

    def _start_retries(self) -> None:
        while self._is_retry_due():
            _, _, job, earlier, made = self._waiting[0]
            if not self._start(job, earlier, made=made):
                return
            heapq.heappop(self._waiting)

    # -- the line ---------------------------------------------------------------------------------------------

    def _line_up(self, feed: Feed) -> None:
        """Hands the pool the jobs that come next, when all slots are taken.

        Each starts as soon as another has ended well, and in its room, without a word to us in between. So all rooms
        must be alike, no failure may be about to stop the sweep, and retries that are due must not be kept waiting.
        """
        lease = next((live.lease for live in self._live.values() if live.lease is not None), None)
        if lease is None or not self._orders.are_alike or self._settings.stop.counts or self._is_retry_due():
            return
        while len(self._line) < min(len(self._live), _IN_LINE):
            following = feed.peek()
            if following is None:
                return
            if not self._take_over(*following):
                self._append(*following, lease)
            feed.pop()

    def _append(self, job: PlannedJob, earlier: Earlier, lease: Lease) -> None:
        """Puts a job at the end of the line; ``lease`` is like the one that it will get."""
        wanted: Resources | None = None
        try:
            wanted = self._orders.resources(job)
            live = self._live_of(job, earlier, wanted, 1)
        except OSError:
            raise
        except Exception as error:  # as where there is room
            self._refuse(self._orders.facts(job, earlier, wanted), error)
            return
        self._tickets += 1
        self._line[self._tickets] = live
        self._pool.line_up(live.task(self._tickets, lease))

    def _move_up(self) -> None:
        """Starts jobs in line where there is room: one that has failed leaves its own to nobody."""
        while self._line and not self._slots.is_full:
            ticket = next(iter(self._line))
            lease = self._slots.lend(self._line[ticket].wanted)
            if lease is None:
                return
            self._place(ticket, self._line.pop(ticket), lease)
            self._pool.start_now(ticket)

    def _call_back(self) -> None:
        """Lets no job in line start any more. One that has started already will be heard of."""
        if self._line and not self._is_called_back:
            self._pool.call_back()
            self._is_called_back = True

    def _pass_on(self, before: int, ticket: int) -> None:
        """The room of an attempt that has ended has passed to one of the line."""
        lease, self._live[before].lease = self._live[before].lease, None
        following = self._line.pop(ticket, None)
        if lease is not None and following is None:  # it had been given room of its own meanwhile
            self._slots.give_back(lease)
        elif lease is not None and following is not None:
            self._place(ticket, following, lease)
            if self.outcomes.interrupted:
                self._interrupt(ticket, following)

    # -- one turn ---------------------------------------------------------------------------------------------

    def _turn(self, longest_s: float, following: tuple[PlannedJob, Earlier] | None = None) -> None:
        """Hears of what has happened. A slot that falls free is filled before the upkeep is seen to.

        ``following`` is the job that waits for one, and is prepared in the meantime.
        """
        self._enforce_deadlines()
        self._clear_up()
        is_overdue = time.monotonic() - self._upkept_at >= _UPKEEP_WITHIN_S
        events = [] if is_overdue else self._pool.wait(self._patience(min(longest_s, _QUIET_S)))
        if not events:
            self._keep_up()
            if following is not None:
                self._orders.prepare(*following)
            events = self._pool.wait(self._patience(longest_s))
        for event in events:
            if isinstance(event, Started):
                self._on_started(event)
            else:
                self._on_ended(event)

    def _keep_up(self) -> None:
        self._journal.flush_if_due()
        now = self._upkept_at = time.monotonic()
        self._hooks.turn([(live.job, now - live.began) for live in self._live.values()])

    def _patience(self, longest_s: float) -> float:
        due = [first[0] for queue in (self._deadlines, self._waiting, self._unclear) for first in queue[:1]]
        return max(0.0, min([longest_s, *(moment - time.monotonic() for moment in due)]))

    def _on_started(self, event: Started) -> None:
        if event.after is not None:
            self._pass_on(event.after, event.ticket)
        live = self._live[event.ticket]
        live.pid = event.pid
        host = socket.gethostname()
        self._journal.append("started", job=live.job.job, attempt=live.attempt, pid=event.pid, host=host)

    def _enforce_deadlines(self) -> None:
        while self._deadlines and self._deadlines[0][0] <= time.monotonic():
            _, ticket, number, why = heapq.heappop(self._deadlines)
            live = self._live.get(ticket)
            if live is not None:
                self._end_live(ticket, live, why, number)

    def _end_live(self, ticket: int, live: Live, why: State, number: int) -> None:
        """Asks an attempt to end; kills it after the grace period."""
        live.asked = live.asked or why
        self._pool.signal(ticket, number)
        if number != signal.SIGKILL:
            heapq.heappush(self._deadlines, (time.monotonic() + self._settings.grace_s, ticket, signal.SIGKILL, why))

    def _check_stop(self) -> None:
        """Follows Ctrl-C: the first ends running jobs with a grace period, the second at once.

        Where jobs are warned they go on for a while first, to save what they have.
        """
        if self._stop.count and not self.outcomes.interrupted:
            self.outcomes.interrupted = True
            self._call_back()  # first: a job that is asked to end may end well
            for ticket, live in self._live.items():
                self._interrupt(ticket, live)
        for ticket, live in self._live.items():
            if live.asked is None and live.job.job in self._stop.jobs:
                self._end_live(ticket, live, State.CANCELLED, signal.SIGTERM)
        if self._stop.count > 1:
            for ticket in self._live:
                self._pool.signal(ticket, signal.SIGKILL)

    def _interrupt(self, ticket: int, live: Live) -> None:
        if self._stop.warning_s:
            self._pool.signal(ticket, signal.SIGUSR2)
            due = time.monotonic() + self._stop.warning_s
            heapq.heappush(self._deadlines, (due, ticket, signal.SIGTERM, self._stop.cause))
        else:
            self._end_live(ticket, live, self._stop.cause, signal.SIGTERM)

    # -- ends -------------------------------------------------------------------------------------------------

    def _on_ended(self, event: Ended) -> None:
        """Records an end. Whether a signal was for this job alone may be unclear for a moment."""
        is_unclear = event.signal in (signal.SIGTERM, signal.SIGKILL) and self._live[event.ticket].asked is None
        if is_unclear and self._stop.lag_s and not self._stop.count:
            self._unclear.append((time.monotonic() + self._stop.lag_s, event))
        else:
            self._enter_end(event)

    def _clear_up(self) -> None:
        """Records the ends that were unclear, once this process has been told to stop, or has not been for a while."""
        while self._unclear and (self._stop.count or self._unclear[0][0] <= time.monotonic()):
            self._enter_end(self._unclear.pop(0)[1])

    def _enter_end(self, event: Ended) -> None:
        live = self._live.pop(event.ticket)
        if self._stop.count and live.asked is None and event.signal is not None:
            live.asked = self._stop.cause  # what told this process to stop may have told the job's as well
        if live.lease is not None:
            self._slots.give_back(live.lease)
        report = report_of(event)
        record = live.settle(event, report, self._orders.provenance)
        self._journal.append("ended", job=record.job, run=brief(record))
        if not self._retry(live, record):
            self._count(record, report)
            self._hooks.ended(record)

    def _retry(self, live: Live, record: RunRecord) -> bool:
        last = record.attempts[-1]
        error_type = last.error.type if last.error else None
        if self._is_closing() or not self._settings.retry.wants_retry(record.state, error_type, live.made):
            return False
        due = time.monotonic() + self._settings.retry_delay_s
        self._tickets += 1
        heapq.heappush(self._waiting, (due, self._tickets, live.job, record.attempts, live.made + 1))
        return True

    def _count(self, record: RunRecord, report: JobReport | None) -> None:
        self.outcomes.counts[record.state] += 1
        if report is not None:
            self.outcomes.returned.put(record.job, report)
        if record.state is not State.COMPLETED and self._settings.stop.is_reached(self.outcomes.failures):
            self.outcomes.stopped_by_rule = True
