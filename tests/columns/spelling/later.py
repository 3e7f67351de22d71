"""Spellings written down after the first reader of text was finished: it read 60 of these 82, and was then generalised."""

from __future__ import annotations

from synthcli.columns.words import listed
from tests.columns.spelling.corpus import Cell, Row, german, money, signed


def padded(r: Row) -> str:
    return f"{r.x:.2f}".rjust(12)


NUMBERS: dict[str, Cell] = {
    "$ 1,234": lambda r: f"$ {r.k:,}",
    "1,234.50 $": lambda r: f"{r.x * 9:,.2f} $",
    "1.234,50 EUR": lambda r: german(money(r.x * 9)) + " EUR",
    "EUR 1.234,50": lambda r: "EUR " + german(money(r.x * 9)),
    "EUR1234.50": lambda r: f"EUR{r.x:.2f}",
    "1 234,50 €": lambda r: f"{r.x * 9:,.2f}".replace(",", " ").replace(".", ",") + " €",
    "1 234,50 kr": lambda r: f"{r.x * 9:,.2f}".replace(",", " ").replace(".", ",") + " kr",
    "CHF 1'234.50": lambda r: "CHF " + f"{r.x * 9:,.2f}".replace(",", "'"),
    "Rs. 1,234": lambda r: f"Rs. {r.k:,}",
    "1,23,456 lakh": lambda r: f"{r.k // 1000 % 90 + 1},{r.k % 90 + 10},{100 + r.s % 900}",
    "12.5k": lambda r: f"{r.x:.1f}k",
    "1.2M": lambda r: f"{r.x / 50:.1f}M",
    "0.125 as .125": lambda r: f"{r.s / 86_400:.3f}".removeprefix("0"),
    "5.": lambda r: f"{r.k}.",
    "12.50 pct": lambda r: f"{r.x / 9:.2f} pct",
    "12 percent": lambda r: f"{r.k % 101} percent",
    "<space>12.50": padded,
    "DR and CR": lambda r: f"{money(r.y)} {'CR' if r.y < 0 else 'DR'}",
    "-€1.234,50": lambda r: ("-" if r.y < 0 else "") + "€" + german(money(r.y * 9)),
    "(1.234,50 €)": lambda r: "(" + german(money(r.y * 9)) + " €)" if r.y < 0 else german(money(r.y * 9)) + " €",
    "(12.5%)": lambda r: signed(r.y / 9, "(", "%)", ".1f") if r.y < 0 else f"{r.y / 9:.1f}%",
    "1234.50 -": lambda r: signed(r.y, "", " -", ".2f"),
    "70.5 lbs": lambda r: f"{r.x:.1f} lbs",
    "12 months": lambda r: f"{r.k % 60 + 2} months",
    "3 years": lambda r: f"{r.k % 40 + 2} years",
    "72 bpm": lambda r: f"{50 + r.k % 80} bpm",
    "12.3 g/dL": lambda r: f"{8 + r.x / 60:.1f} g/dL",
    "45 yrs": lambda r: f"{20 + r.k % 60} yrs",
    "1500 kcal": lambda r: f"{r.k % 4000} kcal",
    "-- for missing": lambda r: f"{r.x:.2f}" if r.i % 16 else "--",
    "missing for missing": lambda r: f"{r.k}" if r.i % 16 else "missing",
    "Not available": lambda r: f"{r.x:.1f}" if r.i % 16 else "Not available",
    "(blank)": lambda r: f"{r.k:,}" if r.i % 16 else "(blank)",
    "s/d": lambda r: f"{r.x:.2f}".replace(".", ",") if r.i % 16 else "s/d",
    "* for missing": lambda r: f"{r.k}" if r.i % 16 else "*",
    "not tested": lambda r: f"{r.x:.2f}" if r.i % 16 else "not tested",
    "three words for missing": lambda r: f"{r.k}" if r.i % 8 else r.pick("-", "?", "n/a"),
    "1E+03": lambda r: f"{r.x:.2E}",
    "none or two decimals": lambda r: f"{r.x:.2f}".removesuffix(".00") if r.i % 3 else f"{r.k}",
    "leading plus": lambda r: f"{r.k % 90 - 45:+d}",
}
DATES: dict[str, Cell] = {
    form: (lambda r, form=form: r.t.strftime(form))  # type: ignore[misc]
    for form in (
        "%d %b %y",
        "%b-%d-%Y",
        "%B %-d, %Y",
        "%-d %B %Y",
        "%d.%m.%Y %H.%M",
        "%d-%m-%Y %H:%M:%S",
        "%Y-%m-%d %I:%M %p",
        "%A %d %B %Y",
        "%d/%b/%y",
        "%Y-%j",
        "%Y-%m-%d %H:%M:%S +00:00",
        "%Y-%m-%dT%H:%M:%S.000Z",
        "%Y%m%d%H",
        "%d%m%Y",
        "%y%m%d",
        "%m-%d-%y",
        "%b %d %Y %I:%M%p",
        "%Y/%m/%d %H:%M",
        "%d.%m.",
        "%Y-%m-%d %H:%M:%S CET",
        "%Y.%m.%d %H:%M:%S",
    )
}
MONTHS = listed("Januar Februar März April Mai Juni Juli August September Oktober November Dezember")
MOIS = listed("janvier février mars avril mai juin juillet août septembre octobre novembre décembre")
DATES |= {
    "23. Juni 2024": lambda r: f"{r.t.day}. {MONTHS[r.t.month - 1]} {r.t.year}",
    "23 juin 2024": lambda r: f"{r.t.day} {MOIS[r.t.month - 1]} {r.t.year}",
    "June 23rd, 2024": lambda r: f"{r.t:%B} {ordinal(r.t.day)}, {r.t.year}",
    "ISO and American": lambda r: r.t.strftime("%Y-%m-%d" if r.i % 4 else "%-m/%-d/%Y"),
    "two dates of the clock": lambda r: r.t.strftime("%d.%m.%Y %H:%M" if r.i % 2 else "%Y-%m-%dT%H:%M:%S"),
    "Z and offsets": lambda r: r.t.strftime("%Y-%m-%dT%H:%M:%S") + ("Z", "+02:00", "-07:00")[r.i % 3],
    "Sydney": lambda r: r.t.tz_localize("UTC").tz_convert("Australia/Sydney").isoformat(),
    "dates with TBD": lambda r: r.t.strftime("%m/%d/%Y") if r.i % 16 else "TBD",
}


def ordinal(day: int) -> str:
    end = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{end}"


TIMES: dict[str, Cell] = {
    "13.05": lambda r: r.clock[:5].replace(":", ".") + " Uhr",
    "13:05:09Z": lambda r: r.clock + "Z",
    "1 PM": lambda r: r.t.strftime("%-I %p"),
    "01:05:09.123456": lambda r: f"{r.clock}.{r.k % 1_000_000:06d}",
    "90m 30s": lambda r: f"{r.k % 90}m {r.s % 60}s",
    "2d 4h": lambda r: f"{r.k % 9}d {r.s // 3600}h",
    "PT95M": lambda r: f"PT{r.k % 300}M",
    "P3D": lambda r: f"P{r.k % 30 + 1}D",
    "3:07.25": lambda r: f"{r.k % 9}:{r.s % 60:02d}.{r.k % 100:02d}",
    "1h, or 45m, or both": lambda r: " ".join(
        [f"{r.s // 3600}h"] * (r.s >= 3600) + [f"{r.s // 60 % 60}m"] * (r.i % 3 > 0 or r.s < 3600)
    ),
    "2 hours 5 minutes": lambda r: f"{r.s // 3600} hours {r.s // 60 % 60} minutes",
    "time, closed": lambda r: r.clock[:5] if r.i % 16 else "n/a",
}
BOOLEANS: dict[str, Cell] = {
    "True, true and false": lambda r: r.pick("True", "true", "false"),
}
WORDS: dict[str, Cell] = {
    "IBANs": lambda r: f"DE{r.s % 90 + 10}{r.k * 7919 % 10**9:018d}",
    "plates": lambda r: f"{r.pick('B', 'HH', 'M')}-{r.pick('AB', 'XY')} {r.k % 9000 + 100}",
    "coordinates": lambda r: f"{40 + r.x / 100:.4f}, {10 + r.s / 10_000:.4f}",
    "dimensions": lambda r: f"{r.k % 90}x{r.s % 90}",
    "fractions": lambda r: f"{r.k % 9}/{r.s % 9 + 1}",
    "flights": lambda r: f"LH{r.k % 900 + 100}",
    "semantic versions": lambda r: f"v{r.k % 4}.{r.s % 12}.{r.i % 7}",
    "floors": lambda r: r.pick("EG", "1. OG", "2. OG"),
    "seasons": lambda r: f"{r.t.year}/{(r.t.year + 1) % 100:02d}",
    "class 1a": lambda r: f"{r.k % 9 + 1}{r.pick('a', 'b', 'c')}",
    "SIC codes": lambda r: f"{r.pick('0111', '0213', '1521', '7372')}",
    "rooms A1.10": lambda r: f"{r.pick('A', 'B')}{r.k % 4}.{r.s % 30:02d}",
    "ATC codes": lambda r: f"{r.pick('C', 'N')}{r.k % 9 + 10}A{r.pick('A', 'B')}{r.s % 9 + 10}",
    "MAC": lambda r: ":".join(f"{(r.k * p) % 256:02x}" for p in (3, 5, 7, 11, 13, 17)),
    "bible": lambda r: f"{r.pick('Gen', 'Ex')} {r.k % 50 + 1}:{r.s % 30 + 1}",
    "telephones of Paris": lambda r: f"01 {r.k % 90 + 10} {r.s % 90 + 10} {r.k % 80 + 11} {r.s % 70 + 20}",
    "twelve digits": lambda r: f"{r.k * 7919 % 10**12:012d}",
    "hours": lambda r: r.pick("9-17", "8-16", "closed"),
    "dosage": lambda r: r.pick("1-0-1", "1-1-1", "0-0-1"),
    "months of a year": lambda r: r.t.strftime("%b"),
    "weekdays": lambda r: r.t.strftime("%a"),
    "likes": lambda r: r.pick("10+", "50+", "100+"),
    "hash": lambda r: f"#{r.k % 9000}",
    "1e3 rooms": lambda r: f"{r.k % 9 + 1}e{r.s % 9}",
}
KINDS = {
    **dict.fromkeys(NUMBERS, "number"),
    **dict.fromkeys(DATES, "datetime"),
    **dict.fromkeys(TIMES, "timedelta"),
    **dict.fromkeys(BOOLEANS, "boolean"),
    **dict.fromkeys(WORDS, "words"),
}
CELLS: dict[str, Cell] = {**NUMBERS, **DATES, **TIMES, **BOOLEANS, **WORDS}
