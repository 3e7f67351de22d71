"""The charts of a page as Vega-Lite specs, one family a module."""

from synthcli.report.charts.base import CONFIG, Chart
from synthcli.report.charts.columns import column, dwarfing, histogram
from synthcli.report.charts.figures import bars, bullet, ranges, requested_rows, tradeoff
from synthcli.report.charts.heats import HEATS, across, cells, heat, joint, pairs

__all__ = [
    "CONFIG",
    "HEATS",
    "Chart",
    "across",
    "bars",
    "bullet",
    "cells",
    "column",
    "dwarfing",
    "heat",
    "histogram",
    "joint",
    "pairs",
    "ranges",
    "requested_rows",
    "tradeoff",
]
