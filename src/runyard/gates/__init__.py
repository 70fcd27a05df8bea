"""Gates: rules on metrics that must hold, judged over seeds and beside a baseline.

The controller of a sweep reads rules before anything runs: only what reads results loads pandas, when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runyard.gates.rule import Rule, parse_rule, parse_rules, read_rules

if TYPE_CHECKING:
    from runyard.gates.file import gates_of_job, read_gates, write_gates
    from runyard.gates.judging import Judged, judge
    from runyard.gates.junit import cell_name, junit_xml
    from runyard.gates.report import CellGates, GateReport, gate_sweep

__all__ = [
    "CellGates",
    "GateReport",
    "Judged",
    "Rule",
    "cell_name",
    "gate_sweep",
    "gates_of_job",
    "judge",
    "junit_xml",
    "parse_rule",
    "parse_rules",
    "read_gates",
    "read_rules",
    "write_gates",
]

_MODULES = {
    "file": ("gates_of_job", "read_gates", "write_gates"),
    "judging": ("Judged", "judge"),
    "junit": ("cell_name", "junit_xml"),
    "report": ("CellGates", "GateReport", "gate_sweep"),
}

if not TYPE_CHECKING:  # a type checker knows the names above, and is to find others missing

    def __getattr__(name: str) -> object:
        from importlib import import_module

        for module, names in _MODULES.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
