"""Wrong input: what, where and what to do; exit code 2; no traceback; and no directory left behind."""

import pytest
from tests.conftest import REPO

HEADER = "sender_lat,sender_lng,recipient_lat,recipient_lng,platform_order_time\n"


@pytest.fixture
def app(shell):
    data = shell.cwd / "data"
    data.mkdir()
    rows = "".join(f"0,{n},1,{n},2026-01-01T10:30:{n:02}Z\n" for n in range(5))
    (data / "meituan_city_lunchtime_plat10301330_day0.csv").write_text(HEADER + rows)
    (shell.cwd / "no_times.csv").write_text("sender_lat,sender_lng,recipient_lat,recipient_lng\n0,0,1,1\n")
    (shell.cwd / "nonsense.csv").write_text("job,run_key,run_dir\n0,x,0\n")
    (shell.cwd / "garbage.csv").write_text('workload.d\n"[1,"\n')
    (shell.cwd / "column.csv").write_text("workload.nope\n1\n")
    (shell.cwd / "good.csv").write_text("workload.d\n10\n20\n")
    (shell.cwd / "twice.csv").write_text("workload.d,workload.d\n1,2\n")

    def run(*args):
        return shell.python("-m", "app", *args, PYTHONPATH=str(REPO / "src"))

    run.shell = shell
    return run


CASES = [
    (["workload=dispach"], "did you mean 'dispatch'?"),
    (["workload.d=-5"], "d must be 0 or more"),
    (["-m", "workload.d=-5,10"], "d must be 0 or more"),
    (["workload.d=abc"], "workload.d"),
    (["workload.dd=1"], "workload.dd"),
    (["workload.dispatch=gredy"], "did you mean 'greedy'?"),
    (["workload.jobs_csv=no_times.csv"], "platform_order_time"),
    (["-m", "workload.jobs_csv=no_times.csv", "workload.d=10,20"], "platform_order_time"),
    (["workload.jobs_csv=nowhere.csv"], "nowhere.csv"),
    (["-m", "hydra.launcher.n_job=2"], "did you mean 'hydra.launcher.n_jobs'?"),
    (["-m", "+hydra.launcher.n_job=2"], "did you mean 'n_jobs'?"),
    (["-m", "hydra.launcher.n_jobs=0"], "n_jobs is 0"),
    (["-m", "hydra.launcher.timeout_min=-1"], "timeout_min is -1"),
    (["-m", "hydra.launcher.retry_on=[TIMEOT]"], "did you mean 'TIMEOUT'?"),
    (["-m", "hydra.launcher.resources.cpus=4096"], "4096 cpus"),
    (["-m", "hydra.launcher.resources.gpus=9", "hydra.launcher.gpus=2"], "9 gpus"),
    (["-m", "+hydra.callbacks.runyard.nota=x"], "did you mean 'note'?"),
    (["-m", "hydra.verbose=true,false"], "hydra.verbose=true,false"),
    (["-m", "workload.d=interval(1,2)"], "no list of values"),
    (["-m", "hydra.sweeper.table=nonsense.csv"], "no column of the table names an override"),
    (["-m", "hydra.sweeper.table=garbage.csv"], "row 1"),
    (["-m", "hydra.sweeper.table=twice.csv"], "comes twice"),
    (["-m", "hydra.sweeper.table=nowhere.csv"], "nowhere.csv"),
    (["-m", "hydra.sweeper.table=good.csv", "workload.d=1,2"], "swept besides"),
    (["-m", "hydra.callbacks.runyard.validate=no.such.thing"], "no.such.thing"),
    (["-m", "hydra.sweeper.zip={a:{workload.d:[1,2],workload.tau:[0]}}"], "workload.d has 2, workload.tau has 1"),
    (["-m", "workload.d=1,2", 'hydra.sweeper.exclude="tau > 1"'], "unknown name 'tau'"),
    (["-m", "workload.d=1,2", 'hydra.sweeper.exclude="d >"'], "is not an expression"),
    (["-m", "hydra.sweeper.table=column.csv"], "workload.nope"),
    (["-m", "workload.d=interval(0,1)"], "hydra.sweeper.n_samples"),
    (["-m", "workload.d=interval(0,1)", "hydra.sweeper.n_samples=3", "hydra.sweeper.sampler=lsh"], "'lhs'"),
    (["-m", "workload.d=1,2", "hydra.sweeper.seeds=0"], "seeds cannot be 0"),
    (["-m", "workload.d=1,2", "hydra.sweeper.n_samples=3"], "nothing is to be sampled"),
    (["-m", "workload.d=1,2", "hydra.launcher.gpus=1", "hydra.launcher.resources.gpus=2"], "gpus"),
]


@pytest.mark.parametrize(("args", "said"), CASES, ids=[" ".join(args) for args, _ in CASES])
def test_wrong_input_is_named_and_ends_with_two(app, args, said):
    done = app(*args)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert app.shell.sweeps("app") == []


def test_a_plan_that_was_edited_runs(app):
    app("-m", "workload.d=10,20", "hydra.sweeper.dry_run=true")
    plan = app.shell.only_sweep("app") / "plan.csv"
    plan_text = plan.read_text().replace(",20,", ",25,")
    (app.shell.cwd / "edited.csv").write_text(plan_text)
    done = app("-m", "hydra.sweeper.table=edited.csv")
    assert done.returncode == 0, done.stderr
    _, ran = app.shell.sweeps("app")
    assert [line.split(",")[2] for line in (ran / "results.csv").read_text().splitlines()[1:]] == ["10", "25"]


def test_a_dry_run_writes_the_plan_runs_nothing_and_can_be_run_by_resume(app):
    done = app("-m", "workload.d=10,20", "hydra.sweeper.dry_run=true")
    assert done.returncode == 0
    sweep = app.shell.only_sweep("app")
    assert "2 jobs: 2 new\nnothing was run" in done.stdout
    assert not (sweep / "0").exists()
    app.shell.runyard("resume", sweep.name, check=0, PYTHONPATH=str(REPO / "src"))
    assert (sweep / "results.csv").read_text().count("COMPLETED") == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["resume", "no-such-sweep"], "no-such-sweep"),
        (["resume"], "no sweep"),
        (["status", "nowhere"], "nowhere"),
        (["retry", "nowhere", "--jobs", "a-b"], "a-b"),
        (["nonsense"], "nonsense"),
    ],
)
def test_the_command_says_what_is_wrong_with_its_arguments(shell, args, said):
    done = shell.runyard(*args, check=2)
    assert said.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_a_plan_file_that_is_nonsense_is_not_resumed_from(app):
    app("-m", "workload.d=10,20", "hydra.sweeper.dry_run=true")
    sweep = app.shell.only_sweep("app")
    (sweep / "plan.csv").write_text("what,is\nthis,thing\n")
    done = app.shell.runyard("resume", sweep.name, check=2, PYTHONPATH=str(REPO / "src"))
    assert "plan.csv" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_job_that_is_not_in_the_sweep_cannot_be_picked(app):
    app("-m", "workload.d=10,20", "hydra.sweeper.dry_run=true")
    done = app.shell.runyard("retry", "--jobs", "7", check=2)
    assert "no job 7" in done.stderr
