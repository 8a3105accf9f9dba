"""Half precision in training."""

import pytest
import torch

from glassclf.estimators.precision import MixedPrecision

CPU = torch.device("cpu")


def one_step(precision, loss_of, factor=1.0):
    """Gradient that an optimizer step sees, and the weight after it."""
    arithmetic = MixedPrecision(precision, CPU)
    layer = torch.nn.Linear(4, 1, bias=False)
    torch.nn.init.constant_(layer.weight, 0.5)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    with arithmetic.autocast():
        out = layer(torch.full((3, 4), factor))
    arithmetic.backward(loss_of(out.float()))
    arithmetic.unscale(optimizer)
    gradient = layer.weight.grad.clone()
    arithmetic.step(optimizer)
    return out.dtype, gradient, layer.weight.detach(), arithmetic


@pytest.mark.parametrize(
    ("precision", "dtype"), [("32", torch.float32), ("bf16", torch.bfloat16), ("16", torch.float16)]
)
def test_the_forward_pass_alone_is_in_half_precision(precision, dtype):
    found, gradient, weight, _ = one_step(precision, lambda out: out.mean() / 8)
    assert found is dtype
    assert weight.dtype is gradient.dtype is torch.float32
    torch.testing.assert_close(gradient, torch.full((1, 4), 0.125))
    torch.testing.assert_close(weight, torch.full((1, 4), 0.375))


def test_small_gradients_survive_in_float16():
    # 1e-9 is 0 in float16, and the gradients are sums of three of them.
    _, gradient, _, _ = one_step("16", lambda out: 1e-9 * out.mean())
    torch.testing.assert_close(gradient, torch.full((1, 4), 1e-9), rtol=1e-2, atol=0)


def test_an_overflow_skips_the_step_and_lowers_the_scale():
    _, gradient, weight, arithmetic = one_step("16", lambda out: 1e4 * out.mean())
    assert not gradient.isfinite().all()
    torch.testing.assert_close(weight, torch.full((1, 4), 0.5))
    assert arithmetic.state_dict()["scale"] == 2.0**15


def test_the_scale_goes_on_from_its_state():
    _, _, _, arithmetic = one_step("16", lambda out: 1e4 * out.mean())
    other = MixedPrecision("16", CPU)
    other.load_state_dict(arithmetic.state_dict())
    assert other.state_dict() == arithmetic.state_dict() != MixedPrecision("16", CPU).state_dict()
    assert MixedPrecision("bf16", CPU).state_dict() == {}
