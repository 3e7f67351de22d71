"""Words for a missing value among numbers, dates and times."""

from __future__ import annotations

from synthcli.columns.words import listed

NULLS = frozenset(
    {"", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "Null", "<NA>", "None", "#N/A"}
)  # among numbers, dates, booleans
TEXT_NULLS = frozenset(
    {"NaN", "nan", "null", "NULL", "<NA>"}
)  # among strings, where NA, None or the empty string may be a value
_MARKS = frozenset(listed("- -- --- – — . .. ... … ? ?? ??? * ** *** / // _ __ : x xx xxx ; # ~"))
_WORDS = frozenset(
    """
    na|n/a|n.a.|n.a|n a|nan|#n/a|#na|<na>|null|(null)|none|nil|nul|\\n|(blank)|blank|empty|(empty)|missing|(missing)
    |unknown|(unknown)|unk|unkn|unknwn|not available|not applicable|not known|not recorded|not reported|not done
    |not measured|not stated|not specified|no data|no value|no answer|no record|no info|undefined
    |undetermined|unavailable
    |nd|n.d.|n.d|n/d|n/k|nk|nr|n.r.|n/r|tbd|tba|t.b.d.|#value!|#ref!|#div/0!|#num!|#name?|#null!|error
    |k.a.|k. a.|ka|k/a|keine angabe|keine angaben|unbekannt|nicht bekannt|fehlt|fehlend|nicht erhoben|o.a.|o. a.|entf.
    |inconnu|inconnue|non renseigné|non renseigne|nc|n.c.|manquant|desconocido|desconocida|sin dato|sin datos|s/d|s.d.
    |no consta|ns|nc|sconosciuto|ignoto|non noto|mancante|onbekend|desconhecido|sem dados|nieznany|brak|brak danych|b.d.
    |0000-00-00|00/00/0000|00.00.0000|0000-00-00 00:00:00|nat
    """.replace("\n", "")
    .strip()
    .split("|")
)
WORDS = frozenset(word.strip() for word in _WORDS)


def is_missing(word: str) -> bool:
    """Whether a stripped word among numbers, dates or times says that the value is missing."""
    return word in NULLS or word in _MARKS or word.lower() in WORDS
