"""The recorder under hydra-submitit-launcher, on a real Slurm, with an application that knows nothing of Runyard."""

from __future__ import annotations

import csv

from tests.conftest import read_json

SUBMITIT = ["-m", "+runyard=record", "hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=20"]


def test_every_job_on_slurm_is_recorded_and_the_sweep_ends_in_its_files(cluster, shell):
    shell.app("their_app", *SUBMITIT, "i=7,8,9", check=0)
    sweep = shell.only_sweep("their_app")
    assert _results(sweep) == [
        ("0", "COMPLETED", "7", "49"),
        ("1", "COMPLETED", "8", "64"),
        ("2", "COMPLETED", "9", "81"),
    ]
    record = read_json(sweep / "sweep.json")
    assert (record["launcher"], record["state"]) == ("submitit_slurm", "COMPLETED")
    pids = {read_json(sweep / job / "run.json")["attempts"][0]["pid"] for job in "012"}
    assert len(pids) == 3
    cluster.wait_idle()


def test_a_failed_job_on_slurm_is_recorded_as_such_beside_the_results_of_the_others(cluster, shell):
    done = shell.app("their_app", *SUBMITIT, "i=7,1,8", check=1)
    assert "runyard collect" in done.stderr
    sweep = shell.only_sweep("their_app")
    failed = read_json(sweep / "1" / "run.json")
    assert (failed["state"], failed["attempts"][0]["error"]["type"]) == ("FAILED", "ValueError")
    shell.runyard("collect", sweep.name, check=0)
    assert _results(sweep) == [("0", "COMPLETED", "7", "49"), ("1", "FAILED", "1", ""), ("2", "COMPLETED", "8", "64")]
    assert read_json(sweep / "sweep.json")["state"] == "FAILED"


def test_a_job_on_slurm_whose_process_dies_is_recorded_as_lost(accounting_cluster, shell):
    # without accounting submitit waits for such a job for ever
    shell.app("their_app", *SUBMITIT, "i=7,4", check=1)
    sweep = shell.only_sweep("their_app")
    shell.runyard("collect", sweep.name, check=0)
    assert _results(sweep) == [("0", "COMPLETED", "7", "49"), ("1", "LOST", "4", "")]


def _results(sweep):
    with (sweep / "results.csv").open() as file:
        return [(row["job"], row["state"], row["i"], row["square"]) for row in csv.DictReader(file)]
