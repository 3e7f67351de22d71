"""The cost of a run of a panel before it runs: that of a single table, with what units and their rows add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from synthcli.artifacts.store import EVALUATE, GENERATE
from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.modality import Choice
from synthcli.contracts.modelling import Request
from synthcli.tabular import modality as tabular
from synthcli.tabular.source import Described

# CPU seconds of runs on two tables of 2.4 and 3.4 rows for each unit, divided by those of the same rows alone:
# rows are drawn given the rows before them, and compared with these. A fit takes as long, from 0.5 to 1.2 times.
ROWS_OF_UNITS: Mapping[str, float] = {GENERATE: 4.0, EVALUATE: 1.2}


def cost(stage: str, choice: Choice | None, described: Described, request: Request, control: str) -> Cost | None:
    """What a stage takes, None if nobody timed it; that of a single table if no unit has several rows."""
    single = tabular.cost(stage, choice, described, request, control)
    if single is None or stage not in ROWS_OF_UNITS or not described.repeats:
        return single

    def seconds(work: Work) -> float:
        return ROWS_OF_UNITS[stage] * single.seconds(work)

    return replace(single, seconds=seconds)
