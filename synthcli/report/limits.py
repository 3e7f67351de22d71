"""What a run changed on the way from the source to the synthetic data, and what it does not protect."""

from __future__ import annotations

from synthcli.artifacts.store import PRIVACY
from synthcli.errors import listed
from synthcli.report.reading import Body

HEADINGS = (  # the kinds of notes of a verdict, as pipeline/verdict.py names them
    ("personal", "Personal data"),
    ("structure", "Structure of the data"),
    ("made", "Made up"),
    ("learned", "Changed before learning"),
    ("rows", "Rows refused, repaired or left out"),
    ("request", "The request"),
    ("limits", "Not checked, not guaranteed"),
    ("", "Other notes"),
)
FIRST = frozenset({"personal", "structure"})  # what a reader must know before any figure


def notes(run: Body) -> list[Body]:
    """The notes of the verdict by kind: [{title, notes, first}]; first: they stand beside the verdict too."""
    verdict = run["verdict"] or {"notes": []}
    kinds = {note["text"]: note["kind"] for note in verdict.get("noted", [])}
    known = {kind for kind, _ in HEADINGS}
    found: dict[str, list[str]] = {}
    for text in verdict["notes"]:
        kind = kinds.get(text, "")
        found.setdefault(kind if kind in known else "", []).append(text)
    return [{"title": title, "notes": found[kind], "first": kind in FIRST} for kind, title in HEADINGS if kind in found]


def unprotected(run: Body) -> list[str]:
    """What a reader must not conclude from the figures of privacy; nothing where no real data was used."""
    plan, parts = run["plan"], run["profile"].get("parts", {})
    if run["verdict"] is None or not parts:
        return []
    out = []
    if not (plan.get("privacy") or {}).get("epsilon"):
        out.append(
            "There is no formal guarantee. The figures come from known attacks; an attack that nobody has thought of"
            " may find more."
        )
    out.append(
        "What is usual in a group stays visible on purpose: who knows that somebody belongs to the group learns what"
        " is likely of that person."
    )
    if learned := [c["column"] for c in run["profile"].get("personal", []) if not c["made"]]:
        out.append(f"These columns may hold personal data and were learned as they are: {listed(learned)}.")
    if not plan.get("privacy_unit"):
        out.append(
            "Each row was taken as one person. Somebody with several rows is protected less than the figures say;"
            " remedy: privacy_unit in the spec."
        )
    if "holdout" not in parts:
        out.append("There was no holdout, so no figure is compared with real data that the generator had not seen.")
    if not any(m["stage"] == PRIVACY for m in run["measured"]):
        out.append("No attack was run, so privacy was not measured.")
    out.append(
        "Only the synthetic data was judged. The folder of the run also holds the model and an analysis of the source:"
        " protect it as you protect the source."
    )
    return out
