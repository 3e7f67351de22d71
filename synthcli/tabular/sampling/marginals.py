"""Draw a pilot, and calibrate a request whose rules reject so many draws that columns would lose their marginals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns import frame as frames
from synthcli.columns.as_written import as_written
from synthcli.contracts.modelling import BLOCK, Model, Request
from synthcli.contracts.schema import Schema
from synthcli.tabular.sampling.calibration import Calibration, calibrate
from synthcli.tabular.sampling.classes import Classes
from synthcli.tabular.sampling.request import SettledRequest, drawable

PROBE = 2048  # rows drawn to see how many break a rule
REJECTED = 0.01  # share of the draws that rules reject, below which nothing is calibrated
ENOUGH = (BLOCK // 2, BLOCK)  # rows that obey to calibrate with: twice the requested ones, within these limits
LEAST = 300  # rows that obey, below which calibration would fit chance
MOST_DRAWS = 8 * BLOCK  # rows drawn to calibrate
TARGET_ROWS = 2 * BLOCK  # draws whose marginals are the target
FAR = 0.03  # total variation distance from which a marginal is reported as not kept
CLASS_ROWS, CLASSES = 200, (4, 24)  # rows per class of a number, and limits of the number of classes


@dataclass
class _Pilot:
    """Rows drawn as the request draws them. base: those that meet `where`; obeying: those of them that obey the rules;
    drawn: all.
    """

    base: list[pd.DataFrame] = field(default_factory=list)
    obeying: list[pd.DataFrame] = field(default_factory=list)
    drawn: int = 0

    @property
    def met(self) -> int:
        return sum(map(len, self.base))

    @property
    def obey(self) -> int:
        return sum(map(len, self.obeying))


def keep_marginals(request: SettledRequest, model: Model, schema: Schema) -> SettledRequest:
    """The request with a calibration, if rules over single rows reject more than REJECTED of the draws.

    The target is the marginals of the model's own draws, which no rule has changed. Models of whole privacy units are
    left alone: their rows are not accepted one by one.
    """
    if model.whole_units or all(rule.TABLE for rule in request.rules):
        return request
    pilot, names = _Pilot(), [c.name for c in schema.columns if c.kind in frames.MODELLED]
    size = drawable(model, Request(request.rows, block_size=BLOCK))
    _draw(pilot, request, model, schema, names, min(size, PROBE))
    if pilot.obey >= (1 - REJECTED) * pilot.met or not pilot.obey:
        return request
    enough = int(np.clip(2 * request.rows, *ENOUGH))
    if pilot.obey / pilot.drawn * MOST_DRAWS < LEAST:
        return request
    while pilot.obey < enough and pilot.drawn < MOST_DRAWS:
        _draw(pilot, request, model, schema, names, size)
    if pilot.obey < LEAST:
        return request
    return replace(request, calibration=_calibration(request, pilot))


def marginals_report(request: SettledRequest, left_out: int) -> dict[str, Any]:
    """What calibration did, for sample.json; {} without one. left_out: rows that obey and were not accepted."""
    found = request.calibration
    if found is None:
        return {}
    off = {name: round(share, 4) for name, share in found.off.items() if share > FAR}
    columns = [one.column for one in found.classes]
    return {"marginals": {"columns": columns, "left_out": left_out, "off": off}}


def _draw(pilot: _Pilot, request: SettledRequest, model: Model, schema: Schema, names: list[str], rows: int) -> None:
    """Draw rows, freely or given the allowed values, and add those of use to the pilot."""
    rng = seeds.stream(request.seed, "calibrate", pilot.drawn)
    guided = request.guided and bool(request.allowed)
    some = Request(rows, block_size=rows, allowed=request.allowed if guided else {})
    table: Any = model.complete(some, 0, rng=rng) if guided else model.sample(some, 0, rng=rng)
    getattr(model, "repaired", {}).clear()  # no row of the output
    frame = as_written(table.frame, schema)
    frame = frame[request.accepts(frame) & (request.stratum_of(frame) >= 0)].reset_index(drop=True)
    broken = np.any([r.violations(frame) for r in request.rules if not r.TABLE], axis=0)
    if pilot.met < TARGET_ROWS:
        pilot.base.append(frame[names])
    pilot.obeying.append(frame.loc[~broken, names])
    pilot.drawn += rows


def _calibration(request: SettledRequest, pilot: _Pilot) -> Calibration:
    """Rake the rows of the pilot that obey to the marginals of all its rows, in the shares of the strata."""
    base, obeying = (pd.concat(some, ignore_index=True) for some in (pilot.base, pilot.obeying))
    shares = np.array([stratum.rows for stratum in request.strata] or [request.rows], dtype=float)
    shares /= shares.sum()
    most = int(np.clip(len(obeying) // CLASS_ROWS, *CLASSES))
    classes = [Classes.of(base[name], most) for name in base]
    place = request.stratum_of(base)
    weights = (shares / np.maximum(np.bincount(place, minlength=len(shares)), 1))[place]
    targets = [np.bincount(c.codes(base[c.column]), weights / weights.sum(), c.size) for c in classes]
    named = frozenset().union(*(rule.columns for rule in request.rules if not rule.TABLE))
    codes = [c.codes(obeying[c.column]) for c in classes]
    return calibrate(classes, codes, targets, named, request.stratum_of(obeying), shares)
