"""The gates as JUnit XML, which continuous integration shows. Pure."""

from __future__ import annotations

from xml.etree import ElementTree

from runyard.analyze import cell_text
from runyard.gates.report import CellGates, GateReport


def junit_xml(report: GateReport) -> str:
    """A test suite for the sweep: a test case for each gate in each cell."""
    verdicts = [(cell, verdict) for cell in report.cells for verdict in cell.verdicts]
    failures = sum(not verdict.passed for _, verdict in verdicts)
    suite = ElementTree.Element(
        "testsuite", name=f"gates of {report.sweep_id}", tests=str(len(verdicts)), failures=str(failures), errors="0"
    )
    for cell, verdict in verdicts:
        case = ElementTree.SubElement(suite, "testcase", classname=cell_name(cell), name=verdict.rule.text)
        if not verdict.passed:
            ElementTree.SubElement(case, "failure", message=verdict.why, type="gate")
        else:
            ElementTree.SubElement(case, "system-out").text = verdict.why
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def cell_name(cell: CellGates) -> str:
    """The swept values of a cell on one line; ``all jobs`` where nothing else was swept."""
    return ", ".join(f"{name}={cell_text(value)}" for name, value in cell.setting) or "all jobs"
