"""The denoiser's formulas and sampler, against distributions whose best denoiser is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from synthcli.tabular.neural import denoiser as nd  # noqa: E402

DRAWS = torch.randn(100, 2, generator=torch.Generator().manual_seed(3))


class Known(nd.Denoiser):
    """The best denoiser of: two numbers, normal with correlation 0.8; two digits of three classes that are equal."""

    covariance = torch.tensor([[1.0, 0.8], [0.8, 1.0]])

    def forward(self, digits, hidden, x, t, share=0.0, draws=None):  # type: ignore[no-untyped-def]
        s = nd.sigma(t)[:, None]
        clean = x @ torch.linalg.solve(self.covariance + s[0] ** 2 * torch.eye(2), self.covariance)
        raw = (clean - x / (s**2 + 1)) * (s**2 + 1).sqrt() / s
        logits = torch.zeros(len(x), 2, 3)
        for j in (0, 1):
            seen = ~hidden[:, 1 - j]
            logits[seen, j] = -1e9
            logits[seen, j, digits[seen, 1 - j]] = 0.0
        return logits.flatten(1), raw


def known() -> Known:
    return Known(nd.Shape((3, 3), 2, 2, 2, 1), torch.Generator().manual_seed(0))


def test_the_sampler_draws_from_the_distribution_whose_denoiser_it_is_given() -> None:
    digits, x = nd.sample(known(), 8_000, 30, torch.Generator().manual_seed(1))
    np.testing.assert_allclose(np.cov(x.numpy().T), [[1, 0.8], [0.8, 1]], atol=0.06)
    assert abs(float(x.mean())) < 0.04
    assert torch.equal(digits[:, 0], digits[:, 1])
    np.testing.assert_allclose(np.bincount(digits[:, 0].numpy()) / 8_000, [1 / 3] * 3, atol=0.025)


def test_noise_goes_from_all_to_none() -> None:
    assert float(nd.sigma(torch.tensor(0.0))) == pytest.approx(nd.SIGMA_MIN, rel=1e-3)
    assert float(nd.sigma(torch.tensor(1.0))) == pytest.approx(nd.SIGMA_MAX, rel=1e-3)


def test_the_target_of_the_loss_is_what_denoised_undoes() -> None:
    net, x, noise = known(), DRAWS[:50], DRAWS[50:]
    t = torch.linspace(0, 1, 50)
    s = nd.sigma(t)[:, None]
    noisy = x + s * noise
    target = (x - noisy / (s**2 + 1)) * (s**2 + 1).sqrt() / s
    torch.testing.assert_close(net.denoised(target, noisy, t), x, atol=1e-3, rtol=1e-3)


def test_a_class_that_the_data_does_not_hold_is_never_drawn() -> None:
    net = nd.Denoiser(nd.Shape((4,), 0, 2, 4, 1), torch.Generator().manual_seed(0))
    net.begin(torch.tensor([[0], [2], [2], [3]]))
    digits, x = nd.sample(net, 4000, 5, torch.Generator().manual_seed(1))
    assert x.shape == (4000, 0)
    np.testing.assert_allclose(np.bincount(digits[:, 0].numpy(), minlength=4) / 4000, [0.25, 0, 0.5, 0.25], atol=0.06)


def test_holes_cost_nothing() -> None:
    net = nd.Denoiser(nd.Shape((), 2, 2, 4, 1), torch.Generator().manual_seed(0))
    digits, x, known = torch.zeros(40, 0, dtype=torch.int64), DRAWS[:40], torch.zeros(40, 2)
    assert net.loss(digits, x, known, torch.Generator().manual_seed(2), 0.0, False).item() == 0
    known[:, 0] = 1
    one = net.loss(digits, x, known, torch.Generator().manual_seed(2), 0.0, False)
    assert one.item() > 0
