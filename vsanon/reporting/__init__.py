"""Evidence to documents: the canonical report, its pages, its manifest and signature."""

from vsanon.reporting.facts import ReportFacts
from vsanon.reporting.writing import write_report

__all__ = ["ReportFacts", "write_report"]
