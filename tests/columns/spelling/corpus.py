"""Spellings of numbers, dates, times and booleans, and words that only look like them: one column of each.

Each entry makes a cell from a row: a size, a whole number, a moment, seconds, and a random generator.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

ROWS = 160
OTHER_WAY_ROUND = str.maketrans(",.", ".,")


@dataclass(frozen=True)
class Row:
    """One row: i, its position; x, a size of about 150; k, a whole number; t, a moment; s, seconds of a day."""

    i: int
    x: float
    k: int
    t: pd.Timestamp
    s: int
    rng: np.random.Generator

    def pick(self, *words: str) -> str:
        return str(self.rng.choice(words))

    @property
    def y(self) -> float:
        """The size, below zero in every fifth row."""
        return -self.x if self.i % 5 == 0 else self.x

    @property
    def clock(self) -> str:
        return f"{self.s // 3600:02d}:{self.s // 60 % 60:02d}:{self.s % 60:02d}"


Cell = Callable[[Row], str]


def german(text: str) -> str:
    return text.translate(OTHER_WAY_ROUND)


def rows() -> list[Row]:
    rng = np.random.default_rng(7)
    sizes = np.round(rng.lognormal(5, 1.1, ROWS), 2) + 0.01
    days = rng.integers(0, 2000, ROWS)
    seconds = rng.integers(0, 86_400, ROWS)
    start = pd.Timestamp("2019-01-01")
    return [
        Row(i, float(x), int(x * 53), start + pd.Timedelta(days=int(d), seconds=int(s)), int(s), rng)
        for i, (x, d, s) in enumerate(zip(sizes, days, seconds))
    ]


def money(x: float, form: str = ",.2f") -> str:
    return format(abs(x), form)


def signed(x: float, before: str, after: str, form: str = ",.2f", plus: str = "") -> str:
    return f"{before}{money(x, form)}{after}" if x < 0 else f"{plus}{money(x, form)}"


def unit_of(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + ("0S" if seconds < 60 else "")


NUMBERS: dict[str, Cell] = {
    "1234.50": lambda r: f"{r.x:.2f}",
    "integers": lambda r: f"{r.k}",
    "signed integers": lambda r: f"{r.k if r.i % 3 else -r.k}",
    "four decimals": lambda r: f"{r.x / 7:.4f}",
    "as many decimals as needed": lambda r: f"{round(r.x, r.i % 3):g}",
    "repr": lambda r: repr(round(r.x, 1)),
    "exponents": lambda r: f"{r.x:.3e}",
    "1,234.50": lambda r: f"{r.x * 9:,.2f}",
    "1,234": lambda r: f"{r.k:,}",
    "1.234,50": lambda r: german(f"{r.x * 9:,.2f}"),
    "1.234": lambda r: german(f"{r.k:,}"),
    "1234,50": lambda r: f"{r.x:.2f}".replace(".", ","),
    "1234,5 one decimal": lambda r: f"{r.x:.1f}".replace(".", ","),
    "0,125": lambda r: f"{r.s / 86_400:.3f}".replace(".", ","),
    "1 234,50": lambda r: f"{r.x * 9:,.2f}".replace(",", " ").replace(".", ","),
    "1 234": lambda r: f"{r.k:,}".replace(",", " "),
    "1 234.50": lambda r: f"{r.x * 9:,.2f}".replace(",", " "),
    "no-break space": lambda r: f"{r.x * 9:,.2f}".replace(",", "\u00a0").replace(".", ","),
    "narrow space": lambda r: f"{r.x * 9:,.2f}".replace(",", "\u202f").replace(".", ","),
    "1'234.50": lambda r: f"{r.x * 9:,.2f}".replace(",", "'"),
    "1’234.50": lambda r: f"{r.x * 9:,.2f}".replace(",", "’"),
    "1_234": lambda r: f"{r.k:_}",
    "$1,234.50": lambda r: f"${r.x * 9:,.2f}",
    "$1234": lambda r: f"${r.k}",
    "-$1,234.50": lambda r: f"{'-' if r.y < 0 else ''}${money(r.y)}",
    "$-1,234.50": lambda r: f"${'-' if r.y < 0 else ''}{money(r.y)}",
    "($1,234.50)": lambda r: f"(${money(r.y)})" if r.y < 0 else f"${money(r.y)}",
    "€ 1.234,50": lambda r: "€ " + german(money(r.x * 9)),
    "1.234,50 €": lambda r: german(money(r.x * 9)) + " €",
    "1.234,50 € signed": lambda r: ("-" if r.y < 0 else "") + german(money(r.y * 9)) + " €",
    "€1234.50": lambda r: f"€{r.x:.2f}",
    "£1,234": lambda r: f"£{r.k:,}",
    "¥1,234": lambda r: f"¥{r.k:,}",
    "USD 1,234.50": lambda r: f"USD {r.x * 9:,.2f}",
    "1234.50 USD": lambda r: f"{r.x:.2f} USD",
    "1234 EUR": lambda r: f"{r.k} EUR",
    "1'234.50 CHF": lambda r: f"{r.x * 9:,.2f}".replace(",", "'") + " CHF",
    "R$ 1.234,50": lambda r: "R$ " + german(money(r.x * 9)),
    "1 234,50 zł": lambda r: f"{r.x * 9:,.2f}".replace(",", " ").replace(".", ",") + " zł",
    "1234 kr": lambda r: f"{r.k} kr",
    "12.5%": lambda r: f"{r.x / 9:.1f}%",
    "12.5 %": lambda r: f"{r.x / 9:.1f} %",
    "12,5 %": lambda r: f"{r.x / 9:.1f} %".replace(".", ","),
    "12,5%": lambda r: f"{r.x / 9:.1f}%".replace(".", ","),
    "12%": lambda r: f"{r.k % 101}%",
    "-12.50%": lambda r: f"{r.y / 9:.2f}%",
    "(1,234.50)": lambda r: signed(r.y * 9, "(", ")"),
    "(1234)": lambda r: f"({r.k})" if r.i % 5 == 0 else f"{r.k}",
    "1234.50-": lambda r: signed(r.y, "", "-", ".2f"),
    "1.234,50-": lambda r: german(signed(r.y * 9, "", "-")),
    "1234-": lambda r: f"{r.k}-" if r.i % 5 == 0 else f"{r.k}",
    "unicode minus": lambda r: signed(r.y, "−", "", ".1f"),
    "+1.5 and -1.5": lambda r: signed(r.y / 9, "-", "", ".1f", plus="+"),
    "12.5 kg": lambda r: f"{r.x:.1f} kg",
    "12,5 kg": lambda r: f"{r.x:.1f} kg".replace(".", ","),
    "120kg": lambda r: f"{r.k % 150 + 40}kg",
    "170 cm": lambda r: f"{150 + r.k % 50} cm",
    "37.2 °C": lambda r: f"{36 + r.s / 30_000:.1f} °C",
    "90 min": lambda r: f"{r.k % 240} min",
    "1.5 h": lambda r: f"{r.x / 50:.1f} h",
    "120 mmHg": lambda r: f"{90 + r.k % 90} mmHg",
    "5.4 mmol/L": lambda r: f"{r.x / 30:.1f} mmol/L",
    "98 mg/dl": lambda r: f"{60 + r.k % 200} mg/dl",
    "12 km/h": lambda r: f"{r.k % 130} km/h",
    "80 m²": lambda r: f"{20 + r.k % 160} m²",
    "12.5 GB": lambda r: f"{r.x:.1f} GB",
    "12 Stück": lambda r: f"{r.k % 500} Stück",
    "prices with one or two decimals": lambda r: f"{r.x:.2f}" if r.i % 3 else f"{r.x:.1f}",
    "whole or two decimals": lambda r: f"{r.k}" if r.i % 4 == 0 else f"{r.x:.2f}",
    "with and without thousands": lambda r: f"{r.x * 90:,.2f}" if r.i % 3 else f"{r.x * 90:.2f}",
    "with and without currency": lambda r: f"${r.x:.2f}" if r.i % 3 else f"{r.x:.2f}",
    "- for missing": lambda r: f"{r.k}" if r.i % 20 else "-",
    "n.d. for missing": lambda r: f"{r.x:.2f}" if r.i % 20 else "n.d.",
    "n/a for missing": lambda r: f"{r.x:.1f}" if r.i % 15 else "n/a",
    "unknown for missing": lambda r: f"{r.k}" if r.i % 12 else "unknown",
    ". for missing": lambda r: f"{r.x:.3f}" if r.i % 9 else ".",
    "k.A. for missing": lambda r: german(f"{r.x * 9:,.2f}") if r.i % 20 else "k.A.",
    "? for missing": lambda r: f"{r.k}" if r.i % 20 else "?",
    "NA for missing": lambda r: f"{r.k}" if r.i % 8 else "NA",
    "#DIV/0! for missing": lambda r: f"{r.x:.4f}" if r.i % 20 else "#DIV/0!",
    "- and n/a": lambda r: f"{r.k}" if r.i % 10 else r.pick("-", "n/a"),
    "$ and - for missing": lambda r: f"${r.x * 9:,.2f}" if r.i % 10 else "-",
    "% and n/a": lambda r: f"{r.x / 9:.1f}%" if r.i % 10 else "n/a",
}

DATES: dict[str, Cell] = {
    form: (lambda r, form=form: r.t.strftime(form))  # type: ignore[misc]
    for form in (
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y.%m.%d",
        "%d.%m.%Y",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d-%m-%Y",
        "%m-%d-%Y",
        "%d.%m.%y",
        "%d/%m/%y",
        "%m/%d/%y",
        "%-d.%-m.%Y",
        "%-m/%-d/%Y",
        "%-d/%-m/%y",
        "%d-%b-%Y",
        "%d-%b-%y",
        "%d %b %Y",
        "%d %B %Y",
        "%b %d, %Y",
        "%B %d, %Y",
        "%d%b%Y",
        "%d. %B %Y",
        "%a, %d %b %Y",
        "%A, %B %d, %Y",
        "%Y%m%d",
        "%Y%m",
        "%Y%m%d%H%M%S",
        "%Y%m%d%H%M",
        "%Y-%m",
        "%m/%Y",
        "%b %Y",
        "%B %Y",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S+00:00",
        "%Y-%m-%dT%H:%M:%S+02:00",
        "%Y-%m-%d %H:%M:%S-0500",
        "%Y-%m-%d %H:%M:%S UTC",
        "%Y/%m/%d %H:%M:%S",
        "%d.%m.%Y %H:%M",
        "%d.%m.%Y %H:%M:%S",
        "%d.%m.%Y, %H:%M",
        "%d/%m/%Y %H:%M",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %I:%M %p",
        "%-m/%-d/%Y %I:%M:%S %p",
        "%b %d, %Y %I:%M %p",
        "%d-%b-%Y %H:%M:%S",
        "%d%b%Y:%H:%M:%S",
        "%d/%b/%Y:%H:%M:%S +0000",
        "%a, %d %b %Y %H:%M:%S +0000",
        "%a %b %d %H:%M:%S %Y",
        "%Y%m%dT%H%M%SZ",
        "%Y-%m-%d-%H.%M.%S",
        "%H:%M %d.%m.%Y",
    )
}


def thousandths(r: Row) -> str:
    return f"{r.t:%Y-%m-%dT%H:%M:%S}.{r.k % 1000:03d}Z"


DATES |= {
    "milliseconds": thousandths,
    "milliseconds, comma": lambda r: f"{r.t:%Y-%m-%d %H:%M:%S},{r.k % 1000:03d}",
    "microseconds": lambda r: f"{r.t:%Y-%m-%d %H:%M:%S}.{r.k % 1_000_000:06d}",
    "two formats": lambda r: r.t.strftime("%Y-%m-%d" if r.i % 10 < 7 else "%d/%m/%Y"),
    "three formats": lambda r: r.t.strftime(("%Y-%m-%d", "%d.%m.%Y", "%b %d, %Y")[r.i % 3]),
    "dates and timestamps": lambda r: r.t.strftime("%Y-%m-%d %H:%M:%S" if r.i % 3 else "%Y-%m-%d"),
    "minutes and seconds": lambda r: r.t.strftime("%Y-%m-%d %H:%M" if r.i % 3 else "%Y-%m-%d %H:%M:%S"),
    "Z and +00:00": lambda r: r.t.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if r.i % 3 else "+00:00"),
    "five offsets": lambda r: (
        r.t.strftime("%Y-%m-%dT%H:%M:%S") + ("+00:00", "+01:00", "-05:00", "-08:00", "+05:30")[r.i % 5]
    ),
    "offsets without colon": lambda r: r.t.strftime("%Y-%m-%d %H:%M:%S") + ("+0100", "-0500")[r.i % 2],
    "summer and winter": lambda r: r.t.tz_localize("UTC").tz_convert("Europe/Berlin").isoformat(),
    "New York": lambda r: r.t.tz_localize("UTC").tz_convert("America/New_York").isoformat(),
    "date, - for missing": lambda r: r.t.strftime("%d.%m.%Y") if r.i % 20 else "-",
    "date, unknown for missing": lambda r: r.t.strftime("%Y-%m-%d") if r.i % 20 else "unknown",
    "date, 0000-00-00 for missing": lambda r: r.t.strftime("%Y-%m-%d") if r.i % 20 else "0000-00-00",
    "timestamp, n/a for missing": lambda r: r.t.strftime("%Y-%m-%dT%H:%M:%SZ") if r.i % 20 else "n/a",
    "two formats, - for missing": lambda r: (
        "-" if r.i % 20 == 0 else r.t.strftime("%Y-%m-%d" if r.i % 3 else "%m/%d/%Y")
    ),
}

TIMES: dict[str, Cell] = {
    "13:05:09": lambda r: r.clock,
    "13:05": lambda r: r.clock[:5],
    "9:05": lambda r: r.clock[:5].removeprefix("0"),
    "01:05 PM": lambda r: r.t.strftime("%I:%M %p"),
    "1:05 PM": lambda r: r.t.strftime("%-I:%M %p"),
    "01:05:09 PM": lambda r: r.t.strftime("%I:%M:%S %p"),
    "1:05pm": lambda r: r.t.strftime("%-I:%M%p"),
    "13:05:09.123": lambda r: f"{r.clock}.{r.k % 1000:03d}",
    "13:05 Uhr": lambda r: r.clock[:5] + " Uhr",
    "13h05": lambda r: r.clock[:5].replace(":", "h"),
    "durations over a day": lambda r: f"{r.k // 60:02d}:{r.k % 60:02d}",
    "26:30:15": lambda r: f"{r.k % 90:02d}:{r.clock[3:]}",
    "PT1H30M": lambda r: unit_of(r.s),
    "1h 30m": lambda r: f"{r.s // 3600}h {r.s // 60 % 60}m",
    "1h30m": lambda r: f"{r.s // 3600}h{r.s // 60 % 60:02d}m",
    "1 h 30 min": lambda r: f"{r.s // 3600} h {r.s // 60 % 60} min",
    "0 days 15:35:07": lambda r: str(pd.Timedelta(days=r.k % 9, seconds=r.s)),
    "2 days, 1:05:09": lambda r: str(dt.timedelta(days=2 + r.k % 9, seconds=r.s)),
    "time, - for missing": lambda r: r.clock if r.i % 20 else "-",
    "time, with and without seconds": lambda r: r.clock if r.i % 3 else r.clock[:5],
    "-00:30:00": lambda r: ("-" if r.i % 5 == 0 else "") + r.clock,
}

BOOLEANS: dict[str, Cell] = {
    "true|false": lambda r: r.pick("true", "false"),
    "True|False": lambda r: r.pick("True", "False"),
    "TRUE|FALSE": lambda r: r.pick("TRUE", "FALSE"),
    "booleans of four spellings": lambda r: r.pick("true", "True", "true", "FALSE", "false", "TRUE"),
}

WORDS: dict[str, Cell] = {
    "rooms 10E0": lambda r: f"{10 + r.k % 30}E{r.k % 9}",
    "versions 1.10": lambda r: r.pick("1.2", "1.10", "2.0"),
    "versions 1.2.10": lambda r: f"{r.k % 4}.{r.k % 7}.{r.s % 14}",
    "zip codes": lambda r: f"{r.k % 99_999:05d}",
    "padded numbers": lambda r: f"{r.k % 400:06d}",
    "telephones": lambda r: f"+49{1_600_000_000 + r.k * 7919 % 90_000_000}",
    "telephones in groups": lambda r: f"555 {100 + r.k % 900} {100 + r.s % 900}",
    "telephones with dashes": lambda r: f"555-{100 + r.k % 900}-{1000 + r.s % 9000}",
    "national numbers": lambda r: f"{100 + r.k % 900}-{10 + r.s % 90}-{1000 + r.k % 9000}",
    "addresses of machines": lambda r: f"10.0.{r.k % 256}.{r.s % 256}",
    "UUIDs": lambda r: str(__import__("uuid").UUID(int=r.k * 10**30 + r.s, version=4)),
    "ICD codes": lambda r: f"{r.pick('J', 'E', 'I')}{r.k % 90 + 10}.{r.s % 10}",
    "blood pressures": lambda r: f"{90 + r.k % 90}/{50 + r.s % 60}",
    "ranges": lambda r: r.pick("0-9", "10-19", "20-29", "30-39"),
    "scores": lambda r: f"{r.k % 5}:{r.s % 5}",
    "cards": lambda r: f"4000 {1000 + r.k % 9000} {1000 + r.s % 9000} {r.k % 10_000:04d}",
    "weeks": lambda r: r.t.strftime("%Y-W%V"),
    "quarters": lambda r: f"{r.t.year}Q{r.t.quarter}",
    "street and number": lambda r: f"{r.k % 90} {r.pick('Main St', 'Oak Ave', 'Hill Rd')}",
    "ordinals": lambda r: r.pick("1st", "2nd", "3rd", "4th"),
    "yes and no": lambda r: r.pick("yes", "no"),
    "grades": lambda r: r.pick("A+", "A-", "B", "C"),
    "sizes": lambda r: r.pick("S", "M", "L", "XL"),
    "hexadecimal": lambda r: f"{r.k * 7919 % 16**6:06x}",
    "names of months": lambda r: r.t.strftime("%B"),
    "article numbers": lambda r: f"{r.pick('AB', 'CD')}-{r.k % 9000 + 1000}",
    "different currencies": lambda r: r.pick("$", "€", "£") + f"{r.x:.2f}",
    "different units": lambda r: f"{r.k % 50} {r.pick('kg', 'g')}",
    "both separators": lambda r: f"{r.x + 1000:,.2f}" if r.i % 3 else german(f"{r.x + 1000:,.2f}"),
    "both orders of day and month": lambda r: r.t.strftime("%d/%m/%Y" if r.i % 2 else "%m/%d/%Y"),
    "with and without zone": lambda r: r.t.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if r.i % 2 else ""),
    "some limits": lambda r: f"{r.x:.1f}" if r.i % 20 else "<5",
    "some remarks": lambda r: r.t.strftime("%Y-%m-%d") if r.i % 20 else "see the note",
}
UNREAD = (  # of the words, those that look like numbers or dates, and of which the draft asks
    "different currencies",
    "both separators",
    "both orders of day and month",
    "with and without zone",
    "some remarks",
)

KINDS = {
    **dict.fromkeys(NUMBERS, "number"),
    **dict.fromkeys(DATES, "datetime"),
    **dict.fromkeys(TIMES, "timedelta"),
    **dict.fromkeys(BOOLEANS, "boolean"),
    **dict.fromkeys(WORDS, "words"),
}
CELLS: dict[str, Cell] = {**NUMBERS, **DATES, **TIMES, **BOOLEANS, **WORDS}


def columns(cells: dict[str, Cell] | None = None) -> dict[str, list[str]]:
    """A column of ROWS cells of each spelling, by default of the corpus."""
    made = rows()
    return {name: [cell(row) for row in made] for name, cell in (cells or CELLS).items()}


def kind_of(kind: str) -> str:
    """The kind that a test expects, of the kind of a column."""
    return {"integer": "number", "float": "number"}.get(kind, kind if kind in KINDS.values() else "words")


TYPED = ("integer", "float", "datetime", "timedelta", "boolean")
