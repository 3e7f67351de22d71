"""The charts of a page as Vega-Lite specs, one family a module."""

from synthcli.report.charts.base import CONFIG, Chart
from synthcli.report.charts.columns import column, histogram
from synthcli.report.charts.figures import bars, bullet, ranges, requested_rows, tradeoff
from synthcli.report.charts.heats import across, heat, pairs

__all__ = [
    "CONFIG",
    "Chart",
    "across",
    "bars",
    "bullet",
    "column",
    "heat",
    "histogram",
    "pairs",
    "ranges",
    "requested_rows",
    "tradeoff",
]
