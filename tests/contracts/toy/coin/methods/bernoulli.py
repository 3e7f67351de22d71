"""Independent flips of one bias."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MODALITY = "coin"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset()
EXTRA = None
TRUSTED_LOAD = False
WARNING: str | None = None
DIAL = None


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")
    prior: float = Field(1.0, ge=0, description="heads and tails that are added before the bias is estimated")
