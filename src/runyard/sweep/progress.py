"""STUB until display lands."""

from __future__ import annotations

import sys

from runyard.record import count_states


class ProgressReporter:
    def __init__(self, opened, settings, *, total, done):
        self.runs = dict(done)
        self.total = total

    def start(self):
        pass

    def ended(self, record):
        self.runs[record.job] = record
        sys.stderr.write(f"job {record.job} {record.state}\n")

    def turn(self, running):
        pass

    def counts(self):
        return count_states(list(self.runs.values()))

    def close(self):
        pass
