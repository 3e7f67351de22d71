"""Network that predicts each digit of a row from any subset of the others (TabularARGN, arXiv 2501.12012, with an order
per row).

Every digit has a small network of its own: embeddings of its predictors, two ReLU layers, a softmax. Digits that
are not yet known are encoded as an extra class, "hidden", so that the same weights serve every order of the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy, embedding

from synthcli.nets.categories import by_inversion, log_shares
from synthcli.nets.device import dropout, normal, zeros

ELEMENTS = 2**24  # maximum size of a tensor in a training step


@dataclass(frozen=True)
class Shape:
    """Shape of the network. sizes: classes of each digit; seen: predictors of each digit, equally many for all."""

    sizes: tuple[int, ...]
    seen: tuple[tuple[int, ...], ...]
    embedding: int
    hidden: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Shape:
        return cls(tuple(data["sizes"]), tuple(tuple(s) for s in data["seen"]), data["embedding"], data["hidden"])

    @property
    def batch(self) -> int:
        """Maximum number of rows of a training step that fits into memory."""
        return max(32, ELEMENTS // max(1, len(self.sizes) * len(self.seen[0]) * self.embedding))


class Ordered(torch.nn.Module):
    """The networks of all digits in parallel. d: digits, p: predictors of each, e: embedding, h: hidden."""

    def __init__(self, shape: Shape, draws: torch.Generator) -> None:
        super().__init__()
        d, p, e, h = len(shape.sizes), len(shape.seen[0]), shape.embedding, shape.hidden
        self.shape = shape
        self.embedding = normal(sum(shape.sizes) + d, e, scale=1.0, draws=draws)
        self.first = normal(d, p * e, h, scale=(1 / max(1, p * e)) ** 0.5, draws=draws)
        self.first_bias = zeros(d, 1, h)
        self.second = normal(d, h, h, scale=(2 / h) ** 0.5, draws=draws)
        self.second_bias = zeros(d, 1, h)
        self.out = normal(h, sum(shape.sizes), scale=0.01, draws=draws)
        self.out_bias = zeros(sum(shape.sizes))
        # index of each digit's first class among the embeddings
        self.start = torch.tensor(np.cumsum([0, *(k + 1 for k in shape.sizes)])[:-1])
        self.seen = torch.tensor(shape.seen, dtype=torch.int64).reshape(d, p)
        self.sees_hidden = (self.start + torch.tensor(shape.sizes))[self.seen]  # (d, p) the class "hidden" of each

    def begin(self, digits: torch.Tensor, ordered: Sequence[int], draws: torch.Generator) -> None:
        """Initialise the outputs to the marginals, and the embeddings of neighbouring numbers to be similar. digits:
        (rows, d)
        """
        with torch.no_grad():
            shares = []
            for j, (size, numbers) in enumerate(zip(self.shape.sizes, ordered)):
                shares.append(log_shares(digits[:, j], size))
                end = int(self.start[j]) + size
                self.embedding[end - numbers : end] = _waves(numbers, self.shape.embedding, draws)
            self.out_bias.copy_(torch.cat(shares))

    def inputs(self, digits: torch.Tensor, visible: torch.Tensor, only: slice = slice(None)) -> torch.Tensor:
        """Inputs of the networks in `only`. digits: (n, d); visible: (n, nets, p) bool -> (nets, n, p * e)"""
        device = self.embedding.device
        seen = self.seen[only].to(device)
        classes = torch.where(visible, (digits + self.start.to(device))[:, seen], self.sees_hidden[only].to(device))
        return embedding(classes, self.embedding).flatten(2).transpose(0, 1)

    def hidden(
        self, x: torch.Tensor, only: slice = slice(None), share: float = 0.0, draws: torch.Generator | None = None
    ) -> torch.Tensor:
        """Last hidden layer. (nets, n, p * e) -> (nets, n, h)"""
        h = dropout(torch.relu(torch.baddbmm(self.first_bias[only], x, self.first[only])), share, draws)
        return dropout(torch.relu(torch.baddbmm(self.second_bias[only], h, self.second[only])), share, draws)

    def loss(
        self, digits: torch.Tensor, ranks: torch.Tensor, share: float, draws: torch.Generator | None
    ) -> torch.Tensor:
        """Mean over rows of -log p(row), each row in its own order. digits, ranks: (n, d); only digits of lower rank
        are visible.
        """
        h = self.hidden(
            self.inputs(digits, ranks[:, self.seen.to(ranks.device)] < ranks[:, :, None]), share=share, draws=draws
        )
        heads = zip(self.out.split(self.shape.sizes, 1), self.out_bias.split(self.shape.sizes))
        return torch.stack(
            [cross_entropy(torch.addmm(b, h[j], w), digits[:, j]) for j, (w, b) in enumerate(heads)]
        ).sum()

    @torch.no_grad()
    def draw(
        self, j: int, digits: torch.Tensor, known: torch.Tensor, least: torch.Tensor, u: torch.Tensor
    ) -> torch.Tensor:
        """Draw digit j of each row given the known digits, by inversion at uniform u. digits, known: (n, d); least:
        (n,) smallest allowed class -> (n,)
        """
        only, size, at = slice(j, j + 1), self.shape.sizes[j], sum(self.shape.sizes[:j])
        h = self.hidden(self.inputs(digits, known[:, self.seen[only]], only), only)[0]
        logits = torch.addmm(self.out_bias[at : at + size], h, self.out[:, at : at + size]).double()
        logits[torch.arange(size) < least[:, None]] = -torch.inf
        return by_inversion(logits, u)


def _waves(numbers: int, size: int, draws: torch.Generator) -> torch.Tensor:
    """Embeddings of ordered classes: cosines of random frequency and phase, plus noise. (numbers, size)"""
    place = torch.linspace(0, 1, max(1, numbers))[:numbers, None]
    frequency, phase = (
        6 * torch.exp(torch.randn(size, generator=draws)),
        2 * torch.pi * torch.rand(size, generator=draws),
    )
    return 1.3 * torch.cos(place * frequency + phase) + 0.3 * torch.randn(numbers, size, generator=draws)


def ranks(
    rows: int, owner: torch.Tensor, fixed: torch.Tensor, random_share: float, draws: torch.Generator
) -> torch.Tensor:
    """Ranks of the digits in each row: a random column order for a share of the rows, otherwise the fixed order.

    The digits of a column follow each other. owner: (d,) column of each digit; fixed: (columns,) rank of each column ->
    (rows, d)
    """
    order = torch.rand(rows, len(fixed), generator=draws).argsort(1)
    order = torch.where((torch.rand(rows, generator=draws) < random_share)[:, None], order, fixed)
    second = torch.zeros_like(owner)
    second[1:] = (owner[1:] == owner[:-1]).to(owner.dtype)
    return 2 * order[:, owner] + second
