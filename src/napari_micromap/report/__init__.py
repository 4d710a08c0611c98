"""One HTML file about a property, and the same as numbers."""

from napari_micromap.report.page import page_of, write_report
from napari_micromap.report.summary import summary_of

__all__ = ["page_of", "summary_of", "write_report"]
