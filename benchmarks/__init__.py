"""Measurements beside the peers; ``python -m benchmarks`` makes them and writes docs/benchmarks.md."""
