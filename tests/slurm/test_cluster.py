"""The cluster does what the other tests of this folder lean on."""

from __future__ import annotations


def test_a_job_runs_on_a_node_and_its_end_is_seen(cluster, tmp_path):
    job = cluster.sbatch("-o", "out", "--wrap", "echo $SLURMD_NODENAME", cwd=tmp_path)
    seen = cluster.await_job(job, "COMPLETED")
    assert seen["ExitCode"] == "0:0"
    assert (tmp_path / "out").read_text().strip() in cluster.nodes
