"""What Slurm's commands print, as states; and how often they are asked. The texts are Slurm 22.05's."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runyard.execute import SlurmWatch, TaskState, memory_kill_in, task_of
from runyard.execute.slurm.command import NO_ANSWER, SlurmError
from runyard.execute.slurm.query import parse_sacct, parse_squeue, state_of, task_ids


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("PENDING", TaskState.QUEUED),
        ("RUNNING", TaskState.RUNNING),
        ("CONFIGURING", TaskState.RUNNING),
        ("COMPLETING", TaskState.COMPLETING),
        ("CANCELLED by 1000", TaskState.CANCELLED),
        ("CANCELLED+", TaskState.CANCELLED),
        ("OUT_OF_MEMORY", TaskState.OUT_OF_MEMORY),
        ("NODE_FAIL", TaskState.NODE_FAIL),
        ("BOOT_FAIL", TaskState.NODE_FAIL),
        ("PREEMPTED", TaskState.PREEMPTED),
        ("DEADLINE", TaskState.TIMEOUT),
        ("REQUEUED", TaskState.REQUEUED),
        ("SOMETHING_NEW", TaskState.UNKNOWN),
        ("", TaskState.UNKNOWN),
    ],
)
def test_slurms_words_for_a_state_are_understood(text: str, state: TaskState) -> None:
    assert state_of(text) is state


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("3", ["9_3"]),
        ("[3-5%2]", ["9_3", "9_4", "9_5"]),
        ("[1,3-4]", ["9_1", "9_3", "9_4"]),
        ("N/A", ["9"]),
        ("4294967294", ["9"]),
        ("", ["9"]),
    ],
)
def test_tasks_that_wait_together_are_told_apart(text: str, ids: list[str]) -> None:
    assert list(task_ids("9", text)) == ids


def test_squeue_tells_state_restarts_node_and_reason() -> None:
    found = parse_squeue(
        "56|0|RUNNING|1|n2|None\n56|[1-2%4]|PENDING|0||Priority\n57|3|PENDING|2||BeginTime\nodd line\n"
    )
    assert {name: (task.state, task.restarts, task.node, task.reason) for name, task in found.items()} == {
        "56_0": (TaskState.RUNNING, 1, "n2", ""),
        "56_1": (TaskState.QUEUED, 0, "", "Priority"),
        "56_2": (TaskState.QUEUED, 0, "", "Priority"),
        "57_3": (TaskState.REQUEUED, 2, "", "BeginTime"),
    }
    assert not any(task.ended for task in found.values())


def test_of_the_lives_that_sacct_tells_the_last_counts_and_the_others_are_restarts() -> None:
    text = "53_0|REQUEUED|n1\n53_0.batch|CANCELLED|n1\n53_1|REQUEUED|n1\n53_0|FAILED|n2\n53_0.0|OUT_OF_MEMORY|n2\n"
    found = parse_sacct(text)
    assert {name: (task.state, task.restarts, task.node, task.ended) for name, task in found.items()} == {
        "53_0": (TaskState.OUT_OF_MEMORY, 1, "n2", True),
        "53_1": (TaskState.REQUEUED, 0, "n1", False),
    }


def test_sacct_tells_how_tasks_ended_and_its_steps_are_passed_over() -> None:
    text = "56_0|FAILED|n1\n56_0.batch|FAILED|n1\n56_1|CANCELLED by 0|None assigned\n"
    found = parse_sacct(text)
    assert {name: (task.state, task.node, task.ended) for name, task in found.items()} == {
        "56_0": (TaskState.FAILED, "n1", True),
        "56_1": (TaskState.CANCELLED, "", True),
    }


def test_of_an_array_that_was_cancelled_while_it_waited_every_task_has_ended() -> None:
    found = parse_squeue("38|N/A|CANCELLED|0||JobHeldUser\n39|0|RUNNING|0|n1|None\n")
    told = {name: task_of(found, name) for name in ("38_0", "38_7", "39_0", "40_0")}
    assert {name: task and task.state for name, task in told.items()} == {
        "38_0": TaskState.CANCELLED,
        "38_7": TaskState.CANCELLED,
        "39_0": TaskState.RUNNING,
        "40_0": None,
    }
    assert parse_sacct("38|CANCELLED by 0|0:0|None assigned|0\n")["38"].ended


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=3.0", True),
        ("slurmstepd: error: *** JOB 3 exceeded memory limit (209715200 > 52428800), being killed", True),
        ("slurmstepd-n1: error: StepId=26.0 exceeded memory limit (328273920 > 52428800), being killed", True),
        ("slurmstepd-n1: error: Exceeded job memory limit", True),
        ("12:00:01 job 3 FAILED\nslurmstepd: error: Detected 1 oom_kill event in StepId=3.0", True),
        ("srun: error: n1: task 0: Out Of Memory", True),
        ("RuntimeError: CUDA out of memory", False),
        ("srun: error: n1: task 0: Killed", False),
        ("", False),
    ],
)
def test_a_kill_for_want_of_memory_is_known_by_slurms_words(log: str, expected: bool) -> None:
    assert memory_kill_in(log) is expected


class Slurm:
    """Answers as Slurm does, from texts; a ``SlurmError`` is raised."""

    def __init__(self, **answers: str | SlurmError) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, argv: Sequence[str]) -> str:
        self.asked.append(argv[0])
        answer = self.answers.get(argv[0], SlurmError(argv[0], 1, "no answer was prepared"))
        if isinstance(answer, SlurmError):
            raise answer
        return answer


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def watch(slurm: Slurm, clock: Clock, least_s: float = 10) -> SlurmWatch:
    return SlurmWatch([56], least_s=least_s, clock=clock, run=slurm)


NO_ACCOUNTING = SlurmError("sacct", 1, "Slurm accounting storage is disabled")


def test_many_looks_within_an_interval_are_one_question() -> None:
    slurm, clock = Slurm(squeue="56|0|RUNNING|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    for clock.now in (0, 1, 5, 9.9):
        assert watched.tasks()["56_0"].state is TaskState.RUNNING
    assert slurm.asked == ["squeue"]


def test_it_asks_less_often_while_nothing_changes_and_at_once_when_told_to() -> None:
    slurm, clock = Slurm(squeue="56|0|RUNNING|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    for clock.now in range(0, 300, 5):
        watched.tasks()
    assert len(slurm.asked) < 10
    before = len(slurm.asked)
    clock.now = 311
    watched.tasks(now_wanted=True)
    assert len(slurm.asked) == before + 1


def test_of_what_the_queue_has_forgotten_accounting_tells_the_end() -> None:
    slurm, clock = Slurm(squeue="56|0|RUNNING|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    watched.tasks()
    slurm.answers = {"squeue": "", "sacct": "56_0|TIMEOUT|n1\n"}
    clock.now = 100
    assert watched.tasks()["56_0"].state is TaskState.TIMEOUT
    assert watched.has_accounting is True


def test_without_accounting_what_the_queue_has_forgotten_is_gone() -> None:
    slurm, clock = Slurm(squeue="56|0|RUNNING|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    watched.tasks()
    slurm.answers = {"squeue": "", "sacct": NO_ACCOUNTING}
    clock.now = 100
    assert watched.tasks()["56_0"].ended
    assert watched.has_accounting is False
    clock.now = 200
    watched.tasks()
    assert slurm.asked.count("sacct") == 1


def test_a_nodes_failure_is_no_end_until_it_is_told_twice() -> None:
    slurm, clock = Slurm(squeue="56|0|NODE_FAIL|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    assert not watched.tasks()["56_0"].ended
    clock.now = 100
    assert watched.tasks()["56_0"].state is TaskState.NODE_FAIL


def test_a_task_that_was_queued_again_after_its_node_failed_lives() -> None:
    slurm, clock = Slurm(squeue="56|0|NODE_FAIL|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    watched.tasks()
    slurm.answers = {"squeue": "56|0|PENDING|1||BeginTime\n"}
    clock.now = 100
    assert watched.tasks()["56_0"].state is TaskState.REQUEUED


def test_while_slurm_does_not_answer_what_it_told_last_stays() -> None:
    slurm, clock = Slurm(squeue="56|0|RUNNING|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    watched.tasks()
    slurm.answers = {"squeue": SlurmError("squeue", NO_ANSWER, "no answer")}
    clock.now = 100
    assert watched.tasks()["56_0"].state is TaskState.RUNNING
    assert watched.stale_since == 100
    slurm.answers = {"squeue": "56|0|COMPLETED|0|n1|None\n"}
    clock.now = 1000
    assert watched.tasks()["56_0"].ended
    assert watched.stale_since is None


def test_an_array_that_slurm_has_forgotten_altogether_is_looked_up() -> None:
    gone = SlurmError("squeue", 1, "slurm_load_jobs error: Invalid job id specified")
    slurm, clock = Slurm(squeue=gone, sacct="56_0|COMPLETED|n1\n"), Clock()
    assert watch(slurm, clock).tasks()["56_0"].state is TaskState.COMPLETED


CONFIG = "ClusterName             = big\nSlurmctldHost[0]        = head(10.0.0.1)\nSlurmctldPort           = 6817\n"


def test_another_cluster_is_asked_nothing_of_jobs_that_it_has_by_the_same_numbers() -> None:
    slurm, clock = Slurm(scontrol=CONFIG, squeue="56|0|COMPLETED|0|n1|None\n"), Clock()
    watched = SlurmWatch([56], cluster="small at desk:6817", clock=clock, run=slurm)
    assert watched.tasks() == {}
    clock.now = 1000
    assert watched.tasks(now_wanted=True) == {}
    assert watched.other_cluster == "big at head(10.0.0.1):6817"
    assert slurm.asked == ["scontrol"]


def test_the_cluster_is_looked_at_once() -> None:
    slurm, clock = Slurm(scontrol=CONFIG, squeue="56|0|RUNNING|0|n1|None\n"), Clock()
    watched = SlurmWatch([56], cluster="big at head(10.0.0.1):6817", clock=clock, run=slurm)
    for clock.now in (0, 100, 200):
        assert watched.tasks()["56_0"].state is TaskState.RUNNING
    assert slurm.asked == ["scontrol", "squeue", "squeue", "squeue"]


def test_an_array_that_nobody_knows_any_more_has_ended() -> None:
    gone = SlurmError("squeue", 1, "slurm_load_jobs error: Invalid job id specified")
    slurm, clock = Slurm(squeue=gone, sacct=NO_ACCOUNTING), Clock()
    task = task_of(watch(slurm, clock).tasks(), "56_3")
    assert task is not None
    assert task.ended


def test_a_task_that_ended_before_anyone_looked_is_looked_up_by_name() -> None:
    slurm = Slurm(squeue="56|1|RUNNING|0|n1|None\n", sacct="56_0|FAILED|n1\n56_1|RUNNING|n1\n")
    watched = SlurmWatch([56], names=("56_0", "56_1"), clock=Clock(), run=slurm)
    assert {name: watched.tasks()[name].state for name in ("56_0", "56_1")} == {
        "56_0": TaskState.FAILED,
        "56_1": TaskState.RUNNING,
    }


def test_a_task_that_ended_before_anyone_looked_has_ended_also_where_nobody_remembers_it() -> None:
    slurm = Slurm(squeue="56|1|RUNNING|0|n1|None\n", sacct=NO_ACCOUNTING)
    watched = SlurmWatch([56], names=("56_0", "56_1"), clock=Clock(), run=slurm)
    forgotten, known = (task_of(watched.tasks(), name) for name in ("56_0", "56_1"))
    assert forgotten is not None and forgotten.ended
    assert known is not None and not known.ended


def test_each_of_several_arrays_that_the_queue_has_forgotten_is_looked_up() -> None:
    slurm = Slurm(squeue="56|0|RUNNING|0|n1|None\n", sacct="57_0|COMPLETED|n1\n")
    watched = SlurmWatch([56, 57], clock=Clock(), run=slurm)
    assert watched.tasks()["57_0"].state is TaskState.COMPLETED
    assert not watched.tasks()["56_0"].ended


def test_what_accounting_alone_takes_for_running_has_ended() -> None:
    slurm = Slurm(squeue="", sacct="56_0|RUNNING|n1\n")
    assert watch(slurm, Clock()).tasks()["56_0"].ended


def test_while_accounting_does_not_answer_what_was_last_told_stays() -> None:
    slurm, clock = Slurm(squeue="56|0|RUNNING|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    watched.tasks()
    slurm.answers = {"squeue": "", "sacct": SlurmError("sacct", 1, "Unable to connect to slurmdbd")}
    clock.now = 100
    assert not watched.tasks()["56_0"].ended
    assert (watched.stale_since, watched.has_accounting) == (100, None)
    slurm.answers = {"squeue": "", "sacct": "56_0|TIMEOUT|n1\n"}
    clock.now = 1000
    assert watched.tasks()["56_0"].state is TaskState.TIMEOUT


def test_an_end_that_is_known_is_not_asked_for_again_and_a_new_life_is_seen() -> None:
    slurm, clock = Slurm(squeue="", sacct="56_0|REQUEUED|n1\n56_0|FAILED|n2\n"), Clock()
    watched = watch(slurm, clock)
    for clock.now in range(0, 2000, 10):
        assert watched.tasks()["56_0"].state is TaskState.FAILED
    assert slurm.asked.count("sacct") == 1
    slurm.answers = {"squeue": "56|0|RUNNING|2|n3|None\n"}
    clock.now = 3000
    assert not watched.tasks()["56_0"].ended


def test_a_preemption_is_no_end_until_it_is_told_twice() -> None:
    slurm, clock = Slurm(squeue="56|0|PREEMPTED|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    assert not watched.tasks()["56_0"].ended
    clock.now = 100
    assert watched.tasks()["56_0"].state is TaskState.PREEMPTED


@pytest.mark.parametrize("now_wanted", [False, True])
@pytest.mark.parametrize("queue", ["56|0|RUNNING|0|n1|None\n", ""])
def test_however_often_one_looks_slurm_is_asked_once_in_an_interval_on_average(queue: str, now_wanted: bool) -> None:
    slurm, clock = Slurm(squeue=queue, sacct=""), Clock()
    watched = watch(slurm, clock)
    for clock.now in range(1000):
        watched.tasks(now_wanted=now_wanted)
    assert watched.calls == len(slurm.asked) <= 1000 / 10 + 4
    assert now_wanted or watched.calls < 50


def test_two_questions_out_of_turn_are_answered_at_once() -> None:
    slurm, clock = Slurm(squeue="56|0|RUNNING|0|n1|None\n"), Clock()
    watched = watch(slurm, clock)
    for clock.now in (0, 1, 2, 3, 4):
        watched.tasks(now_wanted=True)
    assert watched.calls == 3
