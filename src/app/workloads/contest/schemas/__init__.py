"""The JSON schemas of what the stages hand on, as YAML files; see `app.workloads.contest.contracts`."""
