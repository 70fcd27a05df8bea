"""What a sweep ends with for people to read: the summary figure and the notes. Knows results, not how jobs ran."""

from runyard.report.failures import Cause, causes_of
from runyard.report.figure import summary_figure
from runyard.report.finish import finish_files
from runyard.report.layout import Layout, choose_layout
from runyard.report.notes import notes_text, write_notes
from runyard.report.write import ReportFiles, write_page, write_report

__all__ = [
    "Cause",
    "Layout",
    "ReportFiles",
    "causes_of",
    "choose_layout",
    "finish_files",
    "notes_text",
    "summary_figure",
    "write_notes",
    "write_page",
    "write_report",
]
