"""One HTML file about a property, and the same as numbers."""

from napari_micromap.report.page import page_of, write_report, writing
from napari_micromap.report.subject import Subject, subject_of
from napari_micromap.report.summary import summary_of

__all__ = ["Subject", "page_of", "subject_of", "summary_of", "write_report", "writing"]
