"""Test whether words are first, last or full names of people, against the lists of all locales of Faker."""

from __future__ import annotations

import importlib
import importlib.util
import re
from functools import cache

import numpy as np
import pandas as pd

from synthcli.columns import words
from synthcli.columns.words import listed

MOST = 1_000  # maximum distinct values to test
COMMON = listed(
    "en_US en_GB de_DE de_AT fr_FR es_ES es_MX it_IT nl_NL pl_PL pt_BR pt_PT sv_SE da_DK no_NO fi_FI cs_CZ tr_TR hu_HU"
    " ro_RO en_IN ja_JP ru_RU zh_CN"
)  # locales that are preferred to others with the same names
_COMPANIES = listed(
    "and und y et e i inc llc ltd plc group sons gmbh ag kg ohg kgaa sa sas sarl srl spa bv nv hijos figli filhos"
    " fils co"
)
_COMPANY = re.compile(rf"[,&]| (?:{'|'.join(_COMPANIES)})\b", re.I)
_TITLES = frozenset(
    listed("""
    mr mrs ms miss dr prof professor univ ing dipl mag herr frau hr fr monsieur madame mme m sr sra srta don dona d sig
    sigra dott dhr
    mevr mw pan pani jr ii iii iv phd md dds dvm mba bsc msc ba ma med rer nat b a sen fraulein
    """)
)


_THINGS = frozenset(
    listed("""
    paris london berlin madrid rome roma milan vienna prague warsaw lisbon dublin oslo sydney melbourne adelaide perth
    brisbane boston chicago denver dallas houston austin phoenix portland seattle madison jackson lincoln florence
    savannah charlotte orlando brooklyn bronx manhattan queens memphis cleveland columbus richmond lafayette trenton
    camden bristol chester carlisle lancaster durham kent york geneva verona siena valencia toledo santiago salvador
    lima bogota quito caracas havana cairo delhi mumbai agra tokyo kyoto osaka seoul hanoi jakarta manila nairobi accra
    lagos adana bursa ankara konya petra aden sofia athens troy odessa kiev lourdes nancy vienne lyon
    alabama arizona arkansas california carolina colorado dakota delaware florida georgia hawaii idaho illinois indiana
    iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska
    nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia washington wisconsin wyoming alaska
    africa america asia europe india china kenya jordan israel chad cuba malta cyprus ireland holland france germany
    austria norway denmark finland sweden poland turkey iran mali niger nigeria ghana guinea togo oman jamaica
    rose lily daisy iris violet heather ivy olive hazel holly jasmine laurel basil rosemary sage clover fern ash oak elm
    willow birch maple cedar poppy lotus tulip orchid lavender ginger saffron juniper myrtle reed moss aspen peach apple
    cherry plum berry lemon coral amber ruby pearl opal jade garnet jet silver gold scarlet crimson gray grey brown
    green white black blue red olivine indigo hawk falcon eagle raven robin wren jay lark swan crane dove finch heron
    bird fox wolf lion bear buck drake martin fisher tiger dolphin horse rabbit
    january april may june july august october sunday monday friday saturday spring summer autumn winter dawn
    north south east west star sky ocean river lake hill wood stone storm rain snow
    ford lincoln chevrolet dodge chrysler mercedes bentley jaguar morgan tesla lancia seat rover mini opel skoda fiat
    honda toyota nissan mazda subaru suzuki ferrari porsche volvo kia bmw audi saab cadillac pontiac buick
    art data mode prime premium basic smart royal king queen prince duke noble major junior senior best long short young
    old small large little medium high low early late regular special standard
    """)
)  # words that are names of people and of places, plants, animals, brands, ...
STATES = frozenset(
    listed("""
    yes no y n true false t f ja nein j oui non o si sim nao tak nie nee unknown unbekannt inconnu desconocido none
    null na nan other
    sonstige autre otro missing exact fuzzy match matched mismatch nomatch partial full changed unchanged same different
    new old valid invalid ok bad good error pending active inactive open closed high low medium confirmed verified
    unverified removed added updated present absent complete incomplete public private strong weak first last middle
    not test default
    """)
)  # words of states and flags


@cache
def locales() -> tuple[str, ...]:
    """The locales of Faker that have their own names of people."""
    from faker.config import AVAILABLE_LOCALES

    package = "faker.providers.person"
    return tuple(each for each in sorted(AVAILABLE_LOCALES) if importlib.util.find_spec(f"{package}.{each}"))


@cache
def _lists(locale: str) -> tuple[frozenset[str], frozenset[str]]:
    """First and last names of a locale, in lower case without accents."""
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    first, last = set[str](), set[str]()
    for attribute in dir(provider):
        known = getattr(provider, attribute)
        if "name" in attribute and "language" not in attribute and isinstance(known, (list, tuple, dict)):
            into = first if "first" in attribute else last if "last" in attribute else None
            if into is not None:
                into.update(words.plain(str(n[0] if isinstance(n, tuple) else n)).lower() for n in known)
    return frozenset(first), frozenset(last)


@cache
def known_names() -> tuple[frozenset[str], frozenset[str]]:
    """First and last names of all locales, in lower case without accents."""
    lists = [_lists(locale) for locale in locales()]
    return frozenset().union(*(first for first, _ in lists)), frozenset().union(*(last for _, last in lists))


def _among(w: pd.Series, known: frozenset[str]) -> np.ndarray:
    """Which strings are in a set; Series.isin would hash the whole set each time. (rows,) bool"""
    return np.fromiter((word in known for word in w), dtype=bool, count=len(w))


def first_name(w: pd.Series) -> np.ndarray:
    """Which words are first names, also double ones. w: lower case without accents. (rows,) bool"""
    known = known_names()[0]
    two = w.str.fullmatch(r"[^\W\d]+[ -][^\W\d]+").to_numpy(dtype=bool)
    return _among(w, known) | (_among(w.str.split(r"[\s-]", n=1, regex=True).str[0], known) & two)


def last_name(w: pd.Series) -> np.ndarray:
    """Which words are last names, also double ones and with a particle. (rows,) bool"""
    known = known_names()[1]
    tail = w.str.replace(r"^(van|von|de|der|den|del|della|di|da|do|dos|das|le|la|zu|ten|ter|el)\s+", "", regex=True)
    tail = tail.str.replace(r"^(der|den|la|de)\s+", "", regex=True)
    end = tail.str.split("[- ]", regex=True).str[-1]
    shaped = w.str.fullmatch(r"[^\W\d]+(['\- ]+[^\W\d]+){0,3}").to_numpy(dtype=bool)
    return _among(w, known) | ((_among(tail, known) | _among(end, known)) & shaped)


def full_name(w: pd.Series) -> np.ndarray:
    """Which strings are two or more words besides titles, most of them first or last names; also `Smith, Dr. Anna
    (Jones)`, and names of a script without spaces. (rows,) bool
    """
    first, last = known_names()
    w = w.str.replace(r"\s*[(\"].*?[)\"]", "", regex=True).str.replace(r"^([^,]+),\s*([^,]+)$", r"\2 \1", regex=True)
    pieces = w.str.replace(r"[.']", " ", regex=True).str.split(r"[\s\-]+", regex=True).explode()
    long = (pieces.str.len() > 1).to_numpy() | _among(pieces, first) | _among(pieces, last)
    pieces = pieces[(pieces != "") & ~_among(pieces, _TITLES) & long]
    known = pd.Series(_among(pieces, first) | _among(pieces, last), index=pieces.index)
    table = known.groupby(level=0).agg(n="size", share="mean").reindex(w.index).fillna(0)
    plain = ~w.str.contains(r"\d", regex=True).to_numpy(dtype=bool) & ~w.str.contains(_COMPANY).to_numpy(dtype=bool)
    several = (table["n"] >= 2) & (table["n"] <= 6) & (table["share"] >= 0.6)
    return plain & (several.to_numpy(dtype=bool) | _unspaced(w))


def _unspaced(w: pd.Series) -> np.ndarray:
    """Which strings are a last name and a first name without a space, as in Chinese and Korean. (rows,) bool"""
    first, last = known_names()
    shaped = w.str.fullmatch(r"[\u3040-\u30ff\u4e00-\u9fff]{2,5}|[\u1100-\u11ff]{4,14}")
    out = shaped.to_numpy(dtype=bool, copy=True)
    if out.any():
        out[out] = [any(v[:i] in last and v[i:] in first for i in range(1, len(v))) for v in w[out]]
    return out


def things(w: pd.Series) -> float:
    """The share of words that also name a place, a plant, a brand, or a state. w: lower case without accents"""
    return float((_among(w, _THINGS) | _among(w, STATES)).mean()) if len(w) else 0.0


def states(w: pd.Series) -> float:
    """The share of words that are states and flags, such as yes and no."""
    return float(_among(w, STATES).mean()) if len(w) else 0.0


def look_like_names(values: pd.Series) -> bool:
    """Whether most strings are one to four short words of letters, and none of the usual states and flags."""
    text = values.astype(str).str.strip()
    shaped = text.str.fullmatch(r"[^\W\d_]+[.,]?(?:['’\- ]+[^\W\d_]+[.,]?){0,3}") & text.str.len().between(2, 40)
    spelled = pd.Series([words.plain(v).lower() for v in text])
    return bool(shaped.mean() > 0.9 and states(spelled) < 0.2)


_CAPITALISED = re.compile(
    r"[^\W\d_a-z][^\W\d_'’]+(?:[-'’][^\W\d_]+)?(?:\s[^\W\d_a-z]\.)?(?:\s[^\W\d_a-z][^\W\d_'’]+(?:[-'’][^\W\d_]+)?){1,2}"
)
_PLACE_WORDS = frozenset(
    listed(
        "north south east west new old lake port mount san santa saint st sint bad republic united island islands upper"
        " lower"
    )
)


def likely_names(w: pd.Series) -> float:
    """The share of distinct strings that are two or three capitalised words, if they combine like names of people; else
    0.

    One position holds known first names, or partly so, the other position words that seldom repeat. In contrast,
    streets end and titles begin with the same words.
    """
    shaped = w[w.str.fullmatch(_CAPITALISED)]
    if len(shaped) < 0.85 * len(w) or len(w) < 20 or w.str.contains(_COMPANY).mean() > 0.05:
        return 0.0
    pieces = pd.Series([words.plain(v).lower() for v in shaped]).str.split()
    first, last = pieces.str[0], pieces.str[-1]
    if _among(first, _PLACE_WORDS).mean() > 0.1:
        return 0.0
    given, family = (
        (first, last)
        if _among(first, known_names()[0]).mean() >= _among(last, known_names()[0]).mean()
        else (last, first)
    )
    varied = (
        family.nunique() >= 0.55 * len(family)
        and given.nunique() >= 0.2 * len(given)
        and family.value_counts(normalize=True).iloc[0] < 0.1
    )
    return len(shaped) / len(w) if varied and _among(given, known_names()[0]).mean() >= 0.4 else 0.0


def likely_usernames(w: pd.Series) -> float:
    """The share of distinct strings that are one lower-case word with a known name at its start or end."""
    shaped = w[w.str.fullmatch(r"[a-z][a-z._-]{3,18}\d{0,4}")]
    if len(shaped) < 0.9 * len(w) or len(w) < 20:
        return 0.0
    first, last = known_names()
    bare = shaped.str.replace(r"[\d._-]", "", regex=True)
    within = [
        any(part in first or part in last for i in range(min(4, len(b) - 3)) for part in (b[i:], b[: len(b) - i]))
        for b in bare
    ]
    return float(np.mean(within)) * len(shaped) / len(w)


def names_locale(values: pd.Series) -> dict[str, float]:
    """Locale -> share of the values (first, last or full names) in the name lists of that locale, which indicates the
    language. Common locales come first.
    """
    few = values.dropna().drop_duplicates().iloc[:MOST].astype(str)
    pieces = pd.Series([words.plain(v).lower() for v in few], dtype=object).str.split().explode()
    if not len(pieces):
        return dict.fromkeys(locales(), 0.0)
    order = {each: i for i, each in enumerate(COMMON)}
    ordered = sorted((each for each in locales() if "_" in each), key=lambda each: order.get(each, len(order)))
    return {each: float(_among(pieces, _of_locale(each)).mean()) for each in ordered}


@cache
def _of_locale(locale: str) -> frozenset[str]:
    """First and last names of a locale."""
    return frozenset().union(*_lists(locale))
