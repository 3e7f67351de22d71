"""Which of several related tables holds the people to protect: the privacy unit that a draft proposes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthcli.columns import words
from synthcli.columns.pii import detect
from synthcli.relational.relationships import Relationship, root, with_dependents

_SERVED = frozenset(
    words.listed(
        "user users customer customers client clients patient patients person persons people member members player"
        " players student students pupil pupils subscriber subscribers citizen citizens resident residents guest guests"
        " passenger passengers subject subjects participant participants respondent respondents donor donors voter"
        " voters borrower borrowers tenant tenants applicant applicants visitor visitors buyer buyers shopper shoppers"
        " policyholder policyholders insured individual individuals beneficiary household households kunde kunden"
        " patienten personen mitglieder cliente clientes clients paciente pacientes persona personas klant klanten"
        " klient klienci utilisateur utilisateurs usuario usuarios"
    )
)
_WORKING = frozenset(
    words.listed(
        "employee employees staff worker workers doctor doctors physician physicians nurse nurses teacher teachers"
        " author authors driver drivers agent agents manager managers seller sellers actor actors mitarbeiter arzt"
        " aerzte empleado empleados salarie salaries contact contacts account accounts"
    )
)
_PERSONAL = frozenset({"name", "first_name", "last_name", "email", "date_of_birth", *detect.NATIONAL})


@dataclass(frozen=True)
class Unit:
    """The proposed privacy unit. others: further tables of people, whose rows do not depend on it; people: whether
    there is evidence of people at all.
    """

    table: str
    why: str
    people: bool
    others: tuple[str, ...] = ()


def propose(
    guesses: Mapping[str, Mapping[str, Sequence[detect.Guess]]],
    relationships: Sequence[Relationship],
    rows: Mapping[str, int],
) -> Unit:
    """Propose the table whose rows are people and that most others depend on. guesses: table -> column -> guesses."""
    names = list(guesses)
    evidence = {name: _evidence(name, guesses[name]) for name in names}
    people = [name for name in names if evidence[name][0]]
    if not people:
        top = root(names, relationships)
        return Unit(top, "no table looks like people; the other tables depend on this one", False)
    below = {name: with_dependents(name, relationships) - {name} for name in names}
    best = max(people, key=lambda name: (evidence[name][0], len(below[name]), rows[name]))
    others = tuple(name for name in people if name != best and name not in below[best])
    return Unit(best, evidence[best][1], True, others)


def _evidence(table: str, guesses: Mapping[str, Sequence[detect.Guess]]) -> tuple[int, str]:
    """How strongly a table looks like people, from 0 to 3, and why."""
    said = words.tokens(table)
    sure = [(c, g.kind) for c, some in guesses.items() for g in some if g.kind in _PERSONAL and g.confidence >= 0.5]
    if said and said[-1] in _SERVED:
        return 3, f"{table} are people by its name"
    if sure:
        return 2, f"{sure[0][0]} looks like {detect.spelled(sure[0][1])}"
    return (1, f"{table} are people by its name") if said and said[-1] in _WORKING else (0, "")
