"""Parameters that the nets of tables have in common: what they mean and their bounds. A method says its own
defaults.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Dropout = Annotated[
    float,
    Field(
        ge=0, le=0.9, description="share of hidden units dropped in training; more is more private, less more faithful"
    ),
]
BatchSize = Annotated[int, Field(ge=1, le=100_000, description="rows in a training step, at most")]
WeightDecay = Annotated[float, Field(ge=0, le=10, description="of AdamW")]
Embedding = Annotated[int, Field(ge=1, le=1024, description="numbers that stand for a category at the net's input")]
SharedBy = Annotated[
    int,
    Field(
        ge=1,
        description="privacy units that must hold a number for it to be repeated as it is; others are interpolated",
    ),
]
