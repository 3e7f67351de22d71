"""Types and protocols that all packages share. A user's own metric imports `Evidence` and `Measurement` from here."""

from synthcli.contracts.evaluation import Evidence, Measurement

__all__ = ["Evidence", "Measurement"]
