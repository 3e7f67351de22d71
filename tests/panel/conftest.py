"""One panel for all tests of panels."""

from __future__ import annotations

import pytest

from synthcli.columns.table import Table
from tests.panel import simulated


@pytest.fixture(scope="session")
def panel() -> Table:
    return simulated.read(simulated.visits())
