"""A model of the simulated shop, fitted once."""

from __future__ import annotations

import pytest

from synthcli import seeds
from synthcli.contracts.modelling import Job
from synthcli.relational.data import Tables
from synthcli.relational.model import model as related_model
from synthcli.relational.model.table_method import TableMethod
from synthcli.tabular.methods import trees
from tests.relational import simulated

BASE = TableMethod(trees, {"trees": 2})


def synthetic(tables: Tables, rows: int | None = None, seed: int = 1) -> Tables:
    """Fit tables, and generate new ones."""
    checked = tables.checked()[0]
    return related_model.fit(checked, BASE, job=Job(seed)).sample(
        len(checked) if rows is None else rows, rng=seeds.stream(seed, "made")
    )


@pytest.fixture(scope="session")
def shop() -> Tables:
    return simulated.shop(800).checked()[0]


@pytest.fixture(scope="session")
def fitted(shop: Tables) -> related_model.RelationalModel:
    return related_model.fit(shop, BASE, job=Job(1))


@pytest.fixture(scope="session")
def generated(shop: Tables, fitted: related_model.RelationalModel) -> Tables:
    return fitted.sample(len(shop), rng=seeds.stream(1, "made"))
