"""The charts of a page as Vega-Lite specs, one family a module."""

from synthcli.report.charts.base import CONFIG, Chart
from synthcli.report.charts.columns import column, histogram
from synthcli.report.charts.figures import asked_and_made, bars, bullet, ranges, tradeoff
from synthcli.report.charts.heats import across, heat, pairs

__all__ = [
    "CONFIG",
    "Chart",
    "across",
    "asked_and_made",
    "bars",
    "bullet",
    "column",
    "heat",
    "histogram",
    "pairs",
    "ranges",
    "tradeoff",
]
