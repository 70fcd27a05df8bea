"""The workloads: plain code that knows nothing of the launcher beyond its public functions."""
