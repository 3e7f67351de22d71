"""Denoising network for Gaussian noise on the numbers of a row and masking of its digits, at a time t from 1 (noise
only) to 0.

Numbers follow Karras et al. 2022 (EDM): sigma(t), preconditioning for data of variance 1. Digits are masked one by one
in a random order, a share t of them at time t (absorbing diffusion, in its any-order form: Hoogeboom et al. 2022, Shi
et al. 2024).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy, embedding, layer_norm, silu

from synthcli.nets.categories import by_inversion, log_shares
from synthcli.nets.device import dropout, normal, zeros

SIGMA_MIN, SIGMA_MAX, RHO = 0.005, 20.0, 7.0  # for data of variance 1; Karras et al. use 0.25
WAVES = 16  # frequencies of the time embedding


def sigma(t: torch.Tensor) -> torch.Tensor:
    """Standard deviation of the noise at time t, from SIGMA_MIN at 0 to SIGMA_MAX at 1 (Karras et al., eq. 5)."""
    low, high = SIGMA_MIN ** (1 / RHO), SIGMA_MAX ** (1 / RHO)
    return (low + t * (high - low)) ** RHO


@dataclass(frozen=True)
class Shape:
    """Shape of the network. sizes: classes of each digit; numbers: number of numeric columns."""

    sizes: tuple[int, ...]
    numbers: int
    embedding: int
    hidden: int
    layers: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Shape:
        return cls(**{**data, "sizes": tuple(data["sizes"])})


class Denoiser(torch.nn.Module):
    """A residual MLP. d: digits, m: numbers, e: embedding, h: hidden."""

    def __init__(self, shape: Shape, draws: torch.Generator) -> None:
        super().__init__()
        d, m, e, h = len(shape.sizes), shape.numbers, shape.embedding, shape.hidden
        inputs = d * e + m
        self.shape = shape
        self.embedding = normal(sum(shape.sizes) + d, e, scale=1.0, draws=draws)
        self.first = normal(inputs, h, scale=(1 / max(1, inputs)) ** 0.5, draws=draws)
        self.first_bias = zeros(h)
        self.layers = torch.nn.ParameterList(
            [normal(h, h, scale=(1 / h) ** 0.5, draws=draws) for _ in range(shape.layers)]
        )
        self.biases = torch.nn.ParameterList([zeros(h) for _ in range(shape.layers)])
        self.times = torch.nn.ParameterList(
            [normal(2 * WAVES, h, scale=0.5 / WAVES**0.5, draws=draws) for _ in range(shape.layers)]
        )
        self.out = normal(h, sum(shape.sizes) + m, scale=0.01, draws=draws)
        self.out_bias = zeros(sum(shape.sizes) + m)
        starts = [sum(shape.sizes[:j]) + j for j in range(d)]  # each digit's first embedding
        self.start = torch.tensor(starts, dtype=torch.int64)
        self.mask = self.start + torch.tensor(shape.sizes, dtype=torch.int64)  # (d,) the class "masked" of each

    def begin(self, digits: torch.Tensor) -> None:
        """Initialise the outputs to the marginals. digits: (rows, d)"""
        with torch.no_grad():
            at = 0
            for j, size in enumerate(self.shape.sizes):
                self.out_bias[at : at + size] = log_shares(digits[:, j], size)
                at += size

    def forward(
        self,
        digits: torch.Tensor,
        hidden: torch.Tensor,
        x: torch.Tensor,
        t: torch.Tensor,
        share: float = 0.0,
        draws: torch.Generator | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Concatenated logits of all digits, and the raw output F for the numbers. digits: (n, d); hidden: (n, d) bool;
        x: (n, m), t: (n,)
        """
        device = x.device
        classes = torch.where(hidden, self.mask.to(device), digits + self.start.to(device))
        scaled = x / (sigma(t)[:, None] ** 2 + 1).sqrt()
        h = torch.cat([embedding(classes, self.embedding).flatten(1), scaled], 1) @ self.first + self.first_bias
        angle = torch.pi * t[:, None] * torch.arange(1, WAVES + 1, device=device)
        time = torch.cat([angle.sin(), angle.cos()], 1)
        for weight, bias, of_time in zip(self.layers, self.biases, self.times):
            h = h + dropout(silu(layer_norm(h, h.shape[1:]) @ weight + bias + time @ of_time), share, draws)
        out = layer_norm(h, h.shape[1:]) @ self.out + self.out_bias
        split = out.shape[1] - self.shape.numbers
        return out[:, :split], out[:, split:]

    def loss(
        self,
        digits: torch.Tensor,
        x: torch.Tensor,
        known: torch.Tensor,
        draws: torch.Generator,
        share: float,
        training: bool,
    ) -> torch.Tensor:
        """Mean over rows of a bound on -log p(digits) plus the weighted squared error of the numbers. known: (n, m), 0
        for nulls
        """
        n, d = digits.shape
        t = (torch.randperm(n, generator=draws) + torch.rand(n, generator=draws)) / n  # spread evenly over the rows
        noise = torch.randn(x.shape, generator=draws)
        # mask a share t of the digits, at least one
        count = (t * d).long() + 1
        hidden = torch.rand(n, max(1, d), generator=draws).argsort(1).argsort(1)[:, :d] < count[:, None]
        t, noise, count, hidden = (tensor.to(x.device) for tensor in (t, noise, count, hidden))
        s = sigma(t)[:, None]
        noisy = x + s * noise
        logits, raw = self(digits, hidden, noisy, t, share, draws if training else None)
        target = (x - noisy / (s**2 + 1)) * (s**2 + 1).sqrt() / s
        total = (((raw - target) ** 2) * known).sum(1)
        if d:
            heads = logits.split(self.shape.sizes, 1)
            errors = torch.stack(
                [cross_entropy(head, digits[:, j], reduction="none") for j, head in enumerate(heads)], 1
            )
            total = total + d / count * (errors * hidden).sum(1)
        return total.mean()

    def denoised(self, raw: torch.Tensor, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """The expected numbers without noise (Karras et al., eq. 7, data of variance 1)."""
        s = sigma(t)[:, None]
        return x / (s**2 + 1) + s / (s**2 + 1).sqrt() * raw


@torch.no_grad()
def sample(net: Denoiser, rows: int, steps: int, draws: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw digits and numbers of new rows. (rows, d), (rows, m)

    Digits are unmasked one by one at evenly spaced times, in a random order per row (as in the first-hitting sampler,
    Zheng et al. 2024). Between them the numbers follow the probability flow given the unmasked digits: an exponential
    step with a second-order correction from the prediction at its end (as in UniC, Zhao et al. 2023), which needs no
    extra evaluation of the network.
    """
    sizes, numbers = net.shape.sizes, net.shape.numbers
    d = len(sizes)
    order = (
        torch.rand(rows, max(1, d), generator=draws).argsort(1).argsort(1)[:, :d]
    )  # rank in which a digit is unmasked
    digits, hidden = torch.zeros(rows, d, dtype=torch.int64), torch.ones(rows, d, dtype=torch.bool)
    x = torch.randn(rows, numbers, generator=draws) * (SIGMA_MAX**2 + 1) ** 0.5
    times = torch.linspace(1, 0, steps + 1)

    def look(i: int) -> tuple[torch.Tensor, torch.Tensor]:
        t = times[i].expand(rows)
        logits, raw = net(digits, hidden, x, t)
        return logits, net.denoised(raw, x, t)

    logits, clean = look(0)
    for i in range(1, steps + 1):
        shown = hidden & (order < d * i // steps)
        if numbers:
            h = (sigma(times[i - 1]) / sigma(times[i])).log()
            before, kept = clean, (-h).exp()
            x = kept * x + (1 - kept) * before
            logits, clean = look(i)
            x = x + (1 - (1 - kept) / h) * (clean - before)
        elif shown.any():
            logits, clean = look(i)
        if shown.any():
            digits, hidden = _shown(logits, digits, shown, sizes, draws), hidden & ~shown
            if numbers and i < steps:
                logits, clean = look(i)
    return digits, clean


def _shown(
    logits: torch.Tensor, digits: torch.Tensor, shown: torch.Tensor, sizes: tuple[int, ...], draws: torch.Generator
) -> torch.Tensor:
    """Unmask the shown digits by drawing them from their logits."""
    out = digits.clone()
    for j, head in enumerate(logits.split(sizes, 1)):
        rows = torch.nonzero(shown[:, j])[:, 0]
        u = torch.rand(len(rows), generator=draws, dtype=torch.float64)
        out[rows, j] = by_inversion(head[rows].double(), u)
    return out
