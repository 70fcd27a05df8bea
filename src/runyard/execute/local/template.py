"""The template: a process from which every job is forked, and which watches over them.

It has no threads, and one loop: start, signal and reap jobs, pass on what they report.
When the controller is gone it ends every job, and then itself. It adopts what jobs leave behind, and ends that too.
"""

from __future__ import annotations

import contextlib
import gc
import os
import secrets
import selectors
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from runyard.base import adopt_orphans, append_text
from runyard.execute.local.channel import Channel
from runyard.execute.local.child import LAST_WORD, TOKEN_VARIABLE, Take
from runyard.execute.local.guard import (
    children_of,
    has_token,
    memory_kills,
    peak_mb,
    signal_group,
    signal_tree,
    writes_to,
)
from runyard.execute.local.spare import Spare, await_task
from runyard.execute.task import Ended, Started, Task

_CHUNK = 1 << 18
#: for how long the count of memory kills before a job may have been read, in seconds.
_KILLS_KNOWN_S = 1.0
#: for how long it is not told that a job has started: a short one may have ended by then, which tells both.
_HOLD_S = 0.02
#: processes that are forked ahead, when nothing has happened for so long, in seconds: short jobs would gain nothing.
_SPARES, _QUIET_S = 2, 0.05


#: makes a freshly forked process that of a task: gets what gives it the task, the descriptor for its report, the
#: template's process and the token. Never returns.
Become = Callable[[Take, int, int, str], NoReturn]


@dataclass(slots=True)
class _Job:
    ticket: int
    pid: int
    reads: int
    token: str
    output: Path
    memory_kills: int
    report: bytearray = field(default_factory=bytearray)
    has_followed: bool = False  # whether another one has started in its place


def token_prefix(template: int) -> str:
    """How the tokens begin that a template gives to its jobs."""
    return f"runyard-{template}-"


class Template:
    """The loop of the template process."""

    def __init__(
        self,
        channel: Channel,
        become: Become,
        ready: Callable[[], None] | None = None,
        *,
        share: Callable[[Task], None] | None = None,
        get_ready: Callable[[Task], None] | None = None,
    ) -> None:
        """``become`` is called in each forked process; ``ready`` once, in this one, before it serves.

        What ``ready`` does, every job finds done; so what ``share`` does, in this process, with each task before its
        fork. With ``get_ready``, processes are forked ahead of their tasks while there is nothing else to do, and do
        that in them before the turn of their task has come: a slot that falls free is filled the sooner.
        """
        self._channel, self._become, self._ready, self._share = channel, become, ready, share
        self._get_ready, self._wanted_spares = get_ready, _SPARES if get_ready is not None else 0
        self._spares: list[Spare] = []
        self._last: Task | None = None
        self._kills, self._kills_at = 0, -_KILLS_KNOWN_S
        self._jobs: dict[int, _Job] = {}  # by pid
        self._line: deque[Task] = deque()  # each starts in the place of a job that ends well
        self._selector = selectors.DefaultSelector()
        self._wake_reads, self._wake_writes = os.pipe()

    def run(self) -> NoReturn:
        """Serves until the controller is gone or says so. Never returns."""
        try:
            self._prepare()
            while not self._channel.is_closed:
                self._turn()
            self._end_all()
        except BaseException:  # the process border; the controller reports the jobs as lost and starts another
            traceback.print_exc()
        finally:
            os._exit(0)

    def _prepare(self) -> None:
        os.setsid()  # Ctrl-C in the terminal is the controller's alone
        adopt_orphans()
        for descriptor in (self._wake_reads, self._wake_writes):
            os.set_blocking(descriptor, False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_writes, warn_on_full_buffer=False)
        self._selector.register(self._channel, selectors.EVENT_READ, self._on_message)
        self._selector.register(self._wake_reads, selectors.EVENT_READ, self._on_child)
        if self._ready is not None:
            self._ready()
        gc.collect()
        gc.freeze()  # a job's collector would touch, and so copy, every page of what is here

    def _memory_kills(self) -> int:
        """The count before a job begins, as it was a moment ago."""
        now = time.monotonic()
        if now - self._kills_at >= _KILLS_KNOWN_S:
            self._kills, self._kills_at = memory_kills(), now
        return self._kills

    def _turn(self) -> None:
        waiting = self._selector.select(self._patience())
        if not waiting and self._channel.holds:
            with contextlib.suppress(OSError):  # the controller is gone: the loop is about to see it
                self._channel.flush()
        elif not waiting and self._lacks_spare():
            self._fork_spare()
        for key, _ in waiting:
            if self._selector.get_map().get(key.fileobj) == key:  # else an earlier action of this turn has closed it
                action: Callable[[], None] = key.data
                action()
        if self._channel.has_messages:  # they came while a message was sent
            self._on_message()

    def _patience(self) -> float | None:
        """How long to wait for something to happen, in seconds; None for as long as it takes."""
        if self._channel.has_messages:
            return 0
        return _HOLD_S if self._channel.holds else _QUIET_S if self._lacks_spare() else None

    def _lacks_spare(self) -> bool:
        return len(self._spares) < min(self._wanted_spares, len(self._jobs))

    def _on_message(self) -> None:
        for message in self._channel.receive():
            verb, argument = message
            if verb == "start":
                self._start(argument)
            elif verb == "line up":
                self._line.append(argument)
                self._hand_ahead()
            elif verb == "start now":
                self._start_now(argument)
            elif verb == "call back":
                self._call_back()
            elif verb == "signal":
                self._signal(*argument)

    def _signal(self, ticket: int, number: int) -> None:
        for job in self._jobs.values():
            if job.ticket == ticket and number == signal.SIGUSR2:  # a word to the task, not to what it has started
                with contextlib.suppress(ProcessLookupError):
                    os.kill(job.pid, number)
            elif job.ticket == ticket:
                signal_tree(job.pid, number)

    def _start(self, task: Task) -> None:
        error = self._fork_for(task)
        if error is not None:
            self._refuse(task, error)

    def _start_now(self, ticket: int) -> None:
        for task in [task for task in self._line if task.ticket == ticket]:
            self._line.remove(task)
            self._start(task)

    def _fork_for(self, task: Task, after: int | None = None) -> OSError | None:
        """Gives a task its process; returns why there is none: the system has no descriptor or no process left.

        ``after`` is the ticket of the job in whose place it starts.
        """
        self._last = task
        spare = self._handed_over(task)
        if spare is not None:
            job = _Job(task.ticket, spare.pid, spare.reads, spare.token, task.output, self._memory_kills())
            self._watch(job, after)
            return None
        if self._share is not None:
            self._share(task)
        token, me, kills = self._token(), os.getpid(), self._memory_kills()
        descriptors: tuple[int, ...] = ()
        try:
            reads, writes = descriptors = os.pipe()
            pid = os.fork()
        except OSError as error:
            _close(*descriptors)
            return error
        if pid == 0:
            self._leave_template(reads)
            self._become(lambda: task, writes, me, token)
        os.close(writes)
        self._watch(_Job(task.ticket, pid, reads, token, task.output, kills), after)
        return None

    def _token(self) -> str:
        return f"{token_prefix(os.getpid())}{secrets.token_hex(8)}"

    def _watch(self, job: _Job, after: int | None) -> None:
        os.set_blocking(job.reads, False)
        self._jobs[job.pid] = job
        self._selector.register(job.reads, selectors.EVENT_READ, lambda: self._on_report(job))
        self._channel.hold(Started(ticket=job.ticket, pid=job.pid, after=after))

    def _fork_spare(self) -> None:
        """Forks a process for a task that is still to come. Where none is to be had, the task's own fork will tell."""
        token, me = self._token(), os.getpid()
        descriptors: tuple[int, ...] = ()
        try:
            descriptors = os.pipe()
            descriptors += os.pipe()
            pid = os.fork()
        except OSError:
            _close(*descriptors)
            self._wanted_spares = 0
            return
        reads, writes, takes, hands = descriptors
        if pid == 0:
            self._leave_template(reads, hands)
            self._become(partial(await_task, takes, self._last, self._get_ready), writes, me, token)
        _close(writes, takes)
        self._spares.append(Spare(pid, reads, token, hands))
        self._hand_ahead()

    def _hand_ahead(self) -> None:
        """Hands tasks in line to spare processes, which get ready for them."""
        handed = {spare.ticket for spare in self._spares}
        idle = [spare for spare in self._spares if spare.ticket is None]
        waiting = (task for task in self._line if task.ticket not in handed)
        for task, spare in zip(waiting, idle, strict=False):
            spare.hand(task)  # if it is gone, that is seen when the task's turn comes

    def _call_back(self) -> None:
        self._line.clear()
        for spare in [spare for spare in self._spares if spare.ticket is not None]:
            self._spares.remove(spare)
            spare.dismiss()

    def _handed_over(self, task: Task) -> Spare | None:
        """The spare process that has begun with the task; None when there is none."""
        own = [spare for spare in self._spares if spare.ticket == task.ticket]
        for spare in own or [spare for spare in self._spares if spare.ticket is None]:
            self._spares.remove(spare)
            has_task = spare.ticket is not None or spare.hand(task)
            if spare.start() and has_task:
                return spare
            os.close(spare.reads)
        return None

    def _refuse(self, task: Task, error: OSError) -> None:
        with contextlib.suppress(OSError):
            task.output.parent.mkdir(parents=True, exist_ok=True)
            append_text(task.output, f"runyard: the system could not start a process for this job: {error}\n")
        self._send(Ended(ticket=task.ticket, exit_code=os.EX_OSERR, signal=None))

    def _leave_template(self, *own: int) -> None:
        """In a new child: closes what is the template's, and its own ends of the child's pipes."""
        signal.set_wakeup_fd(-1)
        self._channel.close()
        self._selector.close()
        _close(*own, self._wake_reads, self._wake_writes, *(job.reads for job in self._jobs.values()))
        _close(*(end for spare in self._spares for end in (spare.reads, spare.hands)))

    def _on_report(self, job: _Job) -> None:
        self._read(job)
        if job.report.endswith(LAST_WORD):  # all that is left is for the system to take its memory back
            self._follow(job)

    def _read(self, job: _Job) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(job.reads, _CHUNK):
                job.report += data
            self._selector.unregister(job.reads)  # the end of the pipe; the process may live on

    def _follow(self, job: _Job) -> None:
        """Starts the first of the line in the place of a job that has ended well, if none has been."""
        if self._line and not job.has_followed and self._fork_for(self._line[0], job.ticket) is None:
            self._line.popleft()
            job.has_followed = True

    def _on_child(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_reads, 4096):
                pass
        with contextlib.suppress(ChildProcessError):
            while True:
                # Look before reaping: as long as the dead leader is there, its number names its group alone.
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is None:
                    return
                job = self._jobs.pop(found.si_pid, None)
                if job is None:
                    os.waitpid(found.si_pid, 0)
                else:
                    self._reap(job)

    def _reap(self, job: _Job) -> None:
        signal_group(job.pid, signal.SIGKILL)  # what it left outside of its group has come to us
        _, status, usage = os.wait4(job.pid, 0)
        self._end_leftovers(job)
        if job.reads in self._selector.get_map():
            self._read(job)
        with contextlib.suppress(KeyError):
            self._selector.unregister(job.reads)
        os.close(job.reads)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            self._follow(job)
        self._send(
            Ended(
                ticket=job.ticket,
                exit_code=code if code >= 0 else None,
                signal=-code if code < 0 else None,
                report=bytes(job.report).removesuffix(LAST_WORD),
                max_rss_mb=round(peak_mb(usage), 1),
                memory_kills=memory_kills() - job.memory_kills if code == -signal.SIGKILL else 0,
            )
        )

    def _end_leftovers(self, job: _Job) -> None:
        """Ends processes that left the job's group and were adopted here: known by their token or their output."""
        needle = f"{TOKEN_VARIABLE}={job.token}"
        known = {*self._jobs, *(spare.pid for spare in self._spares)}
        # While we look, one that dies can pass its children on to us: it was in the list, and they were not yet.
        while adopted := set(children_of(os.getpid())) - known:
            known |= adopted
            for pid in adopted:
                if not self._jobs or has_token(pid, needle) or writes_to(pid, job.output):
                    signal_tree(pid, signal.SIGKILL)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    def _send(self, message: Any) -> None:
        with contextlib.suppress(OSError):  # the controller is gone: the loop is about to see it
            self._channel.send(message)

    def _end_all(self) -> None:
        """Ends every job and everything adopted, and waits until they are gone."""
        for job in self._jobs.values():
            signal_tree(job.pid, signal.SIGKILL)
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline:
            for pid in children_of(os.getpid()):
                signal_tree(pid, signal.SIGKILL)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    time.sleep(0.01)
            except ChildProcessError:
                return


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
