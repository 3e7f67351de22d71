"""The spec on the page about keys makes keys with valid check digits."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from synthcli.columns.fake import checksums

PAGE = Path(__file__).resolve().parents[2] / "docs/keys.md"


def test_the_spec_makes_valid_check_digits(synth: Any, tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    (tmp_path / "cards.yaml").write_text(text + "output: {format: csv, path: cards.csv}\n")
    said = synth("run", tmp_path / "cards.yaml")
    assert said.code == 0, said.err
    made = pd.read_csv(tmp_path / "cards.csv", dtype=str)
    for column, name in (("card", "luhn"), ("article", "ean"), ("book", "isbn10"), ("account", "iban")):
        assert checksums.CHECKS[name](made[column].astype(object)).all() and made[column].is_unique
