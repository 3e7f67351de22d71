"""Spellings written down after all changes of the reader of text, and not used to change it: they measure it."""

from __future__ import annotations

from synthcli.columns.words import listed
from tests.columns.spelling.corpus import Cell, Row, german, money

GERMAN = listed("Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez")
ITALIAN = listed("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre")
FRENCH = listed("janvier février mars avril mai juin juillet août septembre octobre novembre décembre")


def half_of_the_day(r: Row) -> str:
    return r.t.strftime("%m/%d/%Y %I:%M ") + ("a.m." if r.t.hour < 12 else "p.m.")


NUMBERS: dict[str, Cell] = {
    "£ 1,234.50": lambda r: f"£ {r.x * 9:,.2f}",
    "1.234 €": lambda r: german(f"{r.k:,}") + " €",
    "kr 1.234,50": lambda r: "kr " + german(money(r.x * 9)),
    "12.5 cm": lambda r: f"{r.x / 9:.1f} cm",
    "3,5 l": lambda r: f"{r.x / 40:.1f} l".replace(".", ","),
    "250 mL": lambda r: f"{r.k % 900} mL",
    "(€1,234)": lambda r: f"(€{r.k:,})" if r.i % 4 == 0 else f"€{r.k:,}",
    "-12,5 %": lambda r: f"{r.y / 9:.1f} %".replace(".", ","),
    "1 234 567": lambda r: f"{r.k * 100:,}".replace(",", " "),
    "sin dato": lambda r: f"{r.k}" if r.i % 11 else "sin dato",
    "TBD": lambda r: f"{r.x:.1f}" if r.i % 11 else "TBD",
    "99.9 F": lambda r: f"{95 + r.s / 20000:.1f} F",
    "5 stars": lambda r: f"{r.k % 90} stars",
    "0.5‰": lambda r: f"{r.x / 200:.2f}‰",
    "12 pcs": lambda r: f"{r.k % 700} pcs",
    "zł": lambda r: f"{r.x:.2f} zł".replace(".", ","),
    "NOK 1 234": lambda r: "NOK " + f"{r.k:,}".replace(",", " "),
    "1.5e-05": lambda r: f"{r.x / 1e7:.2e}",
    "--- mixed with $": lambda r: f"${r.x:.2f}" if r.i % 9 else "---",
    "about": lambda r: f"ca. {r.k}",
    "+3.5%": lambda r: f"{r.y / 9:+.1f}%",
}
DATES: dict[str, Cell] = {
    form: (lambda r, form=form: r.t.strftime(form))  # type: ignore[misc]
    for form in (
        "%d/%m/%Y %I:%M %p",
        "%B %d %Y, %H:%M",
        "%H:%M:%S %Y-%m-%d",
        "%a %d-%b-%Y",
        "%d.%b.%Y",
        "%Y-%b-%d %H:%M",
        "%m.%d.%Y",
        "%Y %B %d",
        "%A %-d %B",
        "%d/%m/%Y-%H:%M:%S",
        "%Y-%m-%dT%H:%M:%S.%f",
        "%d-%m-%Y %H:%M",
        "%G-W%V-%u",
        "%s",
        "%Y%m%d_%H%M%S",
    )
}
DATES |= {
    "23-Okt-2024": lambda r: f"{r.t.day:02d}-{GERMAN[r.t.month - 1]}-{r.t.year}",
    "maggio": lambda r: f"{r.t.day} {ITALIAN[r.t.month - 1]} {r.t.year}",
    "le 3 mai 2023 à 14h05": lambda r: f"le {r.t.day} {FRENCH[r.t.month - 1]} {r.t.year} à {r.t:%Hh%M}",
    "Chicago": lambda r: r.t.tz_localize("UTC").tz_convert("America/Chicago").strftime("%Y-%m-%d %H:%M:%S%z"),
    "sometimes seconds": lambda r: r.t.strftime("%m/%d/%Y %H:%M:%S" if r.i % 2 else "%m/%d/%Y %H:%M"),
    "n/k": lambda r: r.t.strftime("%d %b %Y") if r.i % 13 else "n/k",
    "a.m.": half_of_the_day,
}
TIMES: dict[str, Cell] = {
    "13:05h": lambda r: r.clock[:5] + "h",
    "45 min 10 s": lambda r: f"{r.s // 60 % 60} min {r.s % 60} s",
    "1:05:09 PM": lambda r: r.t.strftime("%-I:%M:%S %p"),
    "T13:05": lambda r: "T" + r.clock,
    "100:15": lambda r: f"{r.k % 200}:{r.s % 60:02d}",
    "2 days 03:00": lambda r: f"{r.k % 5} days {r.clock[:5]}",
    "PT5M30S": lambda r: f"PT{r.s // 60 % 60}M{r.s % 60}S",
    "unknown times": lambda r: r.clock if r.i % 9 else "unknown",
}
BOOLEANS: dict[str, Cell] = {"TRUE, true, false": lambda r: r.pick("TRUE", "true", "false", "FALSE")}
WORDS: dict[str, Cell] = {
    "sort codes": lambda r: f"{r.k % 90 + 10}-{r.s % 90 + 10}-{r.i % 90 + 10}",
    "shoes": lambda r: r.pick("42", "42 1/2", "43"),
    "lots": lambda r: f"L{r.k % 9999:04d}/{r.s % 90}",
    "Swiss phones": lambda r: f"044 {r.k % 900 + 100} {r.s % 90 + 10} {r.i % 90 + 10}",
    "odds": lambda r: f"{r.k % 9 + 1}-{r.s % 9}",
    "teeth": lambda r: r.pick("1.1", "1.2", "2.10"),
    "TNM": lambda r: r.pick("T1", "T2", "T1a"),
    "OPS": lambda r: f"{r.pick('5', '8')}-{r.k % 900 + 100}.{r.s % 9}",
    "PZN": lambda r: f"{r.k * 7919 % 10**8:08d}",
    "ages": lambda r: r.pick("18-25", "26-35", "65+"),
    "stage": lambda r: r.pick("I", "II", "IIIa"),
    "ip": lambda r: f"192.168.{r.k % 200}.{r.s % 200}",
    "paths": lambda r: f"/a/{r.k % 90}",
    "mails": lambda r: f"u{r.k % 900}@x.org",
    "coded years": lambda r: f"FY{r.t.year}",
    "half": lambda r: f"H{r.k % 2 + 1} {r.t.year}",
    "course": lambda r: f"MATH {r.k % 400 + 100}",
    "bands": lambda r: r.pick("<10", "10-50", ">50"),
    "lat": lambda r: f"{r.k % 90}°{r.s % 60}'N",
    "isbn": lambda r: f"978-3-{r.k % 90 + 10}-{r.s % 90000 + 10000}-{r.i % 9}",
}
KINDS = {
    **dict.fromkeys(NUMBERS, "number"),
    **dict.fromkeys(DATES, "datetime"),
    **dict.fromkeys(TIMES, "timedelta"),
    **dict.fromkeys(BOOLEANS, "boolean"),
    **dict.fromkeys(WORDS, "words"),
}
CELLS: dict[str, Cell] = {**NUMBERS, **DATES, **TIMES, **BOOLEANS, **WORDS}
