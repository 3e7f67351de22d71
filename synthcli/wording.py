"""Number and noun in agreement, for every message of the program."""

from __future__ import annotations


def quantity(number: int, noun: str, plural: str = "") -> str:
    """`1 rule`, `1,034 rules`. plural: where it is not the noun with an s, or is more than one word."""
    return f"{number:,} {agreeing(number, noun, plural)}"


def agreeing(number: int, singular: str, plural: str = "") -> str:
    """The form of a noun or a verb that agrees with a number: agreeing(1, "holds", "hold") is `holds`."""
    return singular if number == 1 else plural or f"{singular}s"
