"""Categorical outputs of networks: initial logits, and drawing a class from logits."""

from __future__ import annotations

import torch

NEVER = -1e9  # logit of a class absent from the data; -inf would become NaN in averaged weights


def log_shares(classes: torch.Tensor, size: int) -> torch.Tensor:
    """Logits that reproduce the class frequencies. classes: (rows,) -> (size,)"""
    counts = torch.bincount(classes, minlength=size)
    return torch.where(counts > 0, torch.log(counts / counts.sum()), NEVER)


def by_inversion(logits: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """Draw a class for each row by inversion at uniform u. logits: (n, k) float64; u: (n,) -> (n,) int64"""
    cumulated = torch.softmax(logits, 1).cumsum(1)
    return (cumulated <= u[:, None] * cumulated[:, -1:]).sum(1).clamp(max=logits.shape[1] - 1)
