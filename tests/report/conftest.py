"""A finished run with awkward names, and a headless Chromium that tells what became of a page."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcli.artifacts import files
from synthcli.artifacts.store import EVALUATE, Version
from synthcli.pipeline.execute import execute

EVIL = "</script><script>document.title='owned'</script>"
SECRET = "hidden.person"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

SPEC = """
source: {type: csv, path: people.csv}
seed: 5
columns: {email: {type: email}, key: {type: id}}
constraints: [age >= 18]
generator: {candidates: [independent, {method: trees, params: {trees: 1, min_leaf: 20}}]}
evaluate:
  target: smoker
  gates:
    - {metric: column_shapes, min: 0.999}
    - {metric: column_pair_trends, min: 0.3}
"""


def table(rows: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    age = rng.integers(18, 90, rows)
    return pd.DataFrame(
        {
            "key": [f"K-{i:05d}" for i in rng.permutation(rows)],
            "age": age,
            EVIL: rng.choice(
                ["<img src=x onerror=document.title='owned'>", "a & b", "</script>"], rows, p=[0.6, 0.3, 0.1]
            ),
            "{{ 7*7 }}": np.where(rng.random(rows) < 0.1, np.nan, np.round(np.exp(rng.normal(7 + age / 60, 1.5)), 2)),
            "smoker": rng.random(rows) < age / 120,
            "visit": (
                (pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")).strftime(
                    "%Y-%m-%d"
                )
            ),
            "email": [f"{SECRET}{i}@example.org" for i in range(rows)],
        }
    )


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Version, Version]:
    """Two runs of one spec: the second with another seed and without refinement."""
    folder = tmp_path_factory.mktemp("reported")
    table().to_csv(folder / "people.csv", index=False)
    (folder / "people.yaml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTH_STATE", str(folder / "state"))
        patch.chdir(folder)
        first = execute(folder / "people.yaml", root=folder / "artifacts").version
        second = execute(
            folder / "people.yaml", root=folder / "artifacts", sets=["seed=6", "generator.candidates=[trees]"]
        ).version
    assert first.read(EVALUATE, "pictures.json") is not None
    return first, second


@pytest.fixture
def run(runs: tuple[Version, Version]) -> Version:
    return runs[0]


@pytest.fixture
def mended(run: Version, tmp_path: Path) -> Callable[..., Version]:
    """A copy of the run in which files are replaced: mended({"verdict.json": {...}}); None removes one."""

    def make(changes: dict[str, Any]) -> Version:
        folder = tmp_path / "people" / run.id
        shutil.copytree(run.folder, folder)
        for name, body in changes.items():
            (folder / name).unlink(missing_ok=True)
            if body is not None:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                files.write_json(folder / name, body)
        return Version(folder)

    return make


@dataclass(frozen=True)
class Seen:
    """A page after its scripts: what the root element says, the document, and addresses that the browser asked for."""

    charts: int
    errors: list[str]
    dom: str
    asked: set[str]


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., Seen]:
    """Open a file in headless Chromium, with no way to reach any host. Fails where there is none, unless
    SYNTH_NO_BROWSER=1 says so.
    """
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None and os.environ.get("SYNTH_NO_BROWSER") == "1":
        pytest.skip("SYNTH_NO_BROWSER=1")
    if found is None:
        pytest.fail(
            "no Chromium in PATH; remedy: apt-get install chromium, or SYNTH_NO_BROWSER=1 to leave these tests out"
        )

    def open_(page: Path, *more: str, at: str = "") -> Seen:
        log = tmp_path / "net.json"
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={tmp_path / 'profile'}",
        ]
        options += [
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
        ]
        options += [f"--log-net-log={log}", "--virtual-time-budget=15000", "--window-size=1280,900", *more]
        done = subprocess.run(
            [found, *options, "--dump-dom", page.as_uri() + at],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        root = re.search(r"<html[^>]*>", done.stdout)
        assert root, done.stderr[-2000:]
        said = dict(re.findall(r'data-([a-z]+)="([^"]*)"', root[0]))
        asked = (
            set(re.findall(r'"url":"((?:https?|ftp|wss?):[^"]*)"', log.read_text(errors="replace")))
            if log.exists()
            else set()
        )
        asked = {
            url for url in asked if not re.match(r"https?://[^/]*\b(google|googleapis|gvt1)\.com", url)
        }  # the browser's own updates
        return Seen(int(said["charts"]), json.loads(html.unescape(said["errors"])), done.stdout, asked)

    return open_
