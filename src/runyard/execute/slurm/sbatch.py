"""sbatch's long options, as tables: those that pass through, and those that the launcher needs for itself. Pure."""

from __future__ import annotations

#: options that reach sbatch as they are given; of all versions from 20.11 on, with _ for -.
# fmt: off
PASSED = frozenset({
    "acctg_freq", "batch", "bb", "bbf", "begin", "cluster_constraint", "consolidate_segments", "container",
    "container_id", "contiguous", "core_spec", "cores_per_socket", "cpu_freq", "deadline", "delay_boot", "dependency",
    "distribution", "export", "export_file", "extra", "extra_node_info", "get_user_env", "gid", "gpu_bind",
    "gpu_freq", "gpus", "gpus_per_socket", "gres_flags", "hint", "hold", "ignore_pbs", "kill_on_invalid_dep",
    "licenses", "mail_type", "mail_user", "mcs_label", "mem_bind", "mincpus", "network", "nice", "no_kill",
    "nodefile", "ntasks_per_core", "ntasks_per_gpu", "ntasks_per_socket", "oom_kill_step", "overcommit",
    "oversubscribe", "power", "prefer", "priority", "profile", "propagate", "reboot", "reservation", "resv_ports",
    "segment", "sockets_per_node", "spread_job", "stepmgr", "switches", "thread_spec", "threads_per_core", "time_min",
    "tmp", "tres_bind", "tres_per_job", "tres_per_task", "uid", "use_min_nodes", "wait_all_nodes", "wckey",
})
# fmt: on

_LOGS = "the logs of workers have their place in the sweep's directory, where `runyard logs` finds them"
_OWN_CALL = "the launcher calls sbatch in its own way"

#: options that are not to be given: why, and what to do instead. Some are sbatch's, some are submitit's names.
REFUSED = {
    "array": ("workers are the tasks of an array", "say how many with hydra.launcher.workers"),
    "chdir": ("jobs run where the application was started", "leave it out"),
    "clusters": ("workers of another cluster could not be watched", "submit from a login node of that cluster"),
    "error": (_LOGS, "leave it out"),
    "input": ("workers read no input", "leave it out"),
    "job_name": ("workers are named for their experiment", "use hydra.callbacks.runyard.experiment"),
    "max_num_timeout": ("jobs of a lost allocation go back to the queue", "use hydra.launcher.max_requeues"),
    "mem": ("memory has a key that carries its unit", "use hydra.launcher.mem_gb"),
    "name": ("workers are named for their experiment", "use hydra.callbacks.runyard.experiment"),
    "no_requeue": ("jobs of a lost allocation go back to the queue", "use hydra.launcher.max_requeues=0"),
    "ntasks": ("tasks are counted for each node", "use hydra.launcher.nodes and hydra.launcher.tasks_per_node"),
    "ntasks_per_node": ("the key is named as in submitit", "use hydra.launcher.tasks_per_node"),
    "num_gpus": ("gpus are counted for each node", "use hydra.launcher.gpus_per_node"),
    "open_mode": (_LOGS, "leave it out"),
    "output": (_LOGS, "leave it out"),
    "parsable": (_OWN_CALL, "leave it out"),
    "quiet": (_OWN_CALL, "leave it out"),
    "requeue": ("jobs of a lost allocation go back to the queue", "use hydra.launcher.max_requeues"),
    "signal": ("workers need the warning before the end", "say when it comes with hydra.launcher.signal_delay_s"),
    "submitit_folder": (_LOGS, "leave it out"),
    "test_only": (_OWN_CALL, "leave it out"),
    "time": ("the time limit has a key that carries its unit", "use hydra.launcher.timeout_min"),
    "use_srun": ("the warning before the end reaches workers through srun", "leave it out"),
    "verbose": (_OWN_CALL, "leave it out"),
    "wait": (_OWN_CALL, "use hydra.launcher.wait"),
    "wrap": (_OWN_CALL, "use hydra.launcher.setup for commands that come before the workers"),
}
