"""Parameters that the neural methods share, with bounds and descriptions; each method sets its defaults."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Dropout = Annotated[
    float,
    Field(
        ge=0,
        le=0.9,
        description="share of hidden units dropped in training; more is more private, less is more faithful",
    ),
]
BatchSize = Annotated[int, Field(ge=1, le=100_000, description="maximum number of rows in a training step")]
WeightDecay = Annotated[float, Field(ge=0, le=10, description="weight decay of AdamW")]
Embedding = Annotated[int, Field(ge=1, le=1024, description="size of the embedding of a category")]
SharedBy = Annotated[
    int,
    Field(
        ge=1,
        description="privacy units that must hold a number for it to be repeated as it is; others are interpolated",
    ),
]
