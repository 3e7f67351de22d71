"""The sections of a page about a panel: those of a single table."""

from synthcli.report.modalities.tabular import SECTIONS, TEMPLATE, view

__all__ = ["SECTIONS", "TEMPLATE", "view"]
