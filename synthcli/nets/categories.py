"""Categorical outputs of nets: initial logits, and drawing a class from logits."""

from __future__ import annotations

import torch

NEVER = -1e9  # the logit of a class that the data does not hold; -inf would become NaN when weights are averaged


def log_shares(classes: torch.Tensor, size: int) -> torch.Tensor:
    """The logits that give each class its share of the rows. classes: (rows,) -> (size,)"""
    counts = torch.bincount(classes, minlength=size)
    return torch.where(counts > 0, torch.log(counts / counts.sum()), NEVER)


def by_inversion(logits: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """Draw a class for each row by inversion at uniform u. logits: (n, k) float64; u: (n,) -> (n,) int64"""
    cumulated = torch.softmax(logits, 1).cumsum(1)
    return (cumulated <= u[:, None] * cumulated[:, -1:]).sum(1).clamp(max=logits.shape[1] - 1)
