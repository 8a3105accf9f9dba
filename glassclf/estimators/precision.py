"""Training in half precision: autocast around the forward pass, scaled gradients for float16."""

import contextlib

import torch

HALF = {"bf16": torch.bfloat16, "16": torch.float16}


class MixedPrecision:
    """Arithmetic of the training steps.

    Weights, gradients, the loss and the optimizer stay in float32, as do validation and
    prediction: only the forward pass of training, and the backward pass through it, are in half
    precision. float16 spans so few powers of ten that small gradients would vanish: the loss is
    scaled up for the backward pass, by a factor that adapts itself.

    Parameters
    ----------
    precision : {"32", "bf16", "16"}
    device : torch.device
        Where the training runs.

    Raises
    ------
    ValueError
        If the device has no such arithmetic.

    Attributes
    ----------
    scales : bool
        Whether the loss is scaled.

    Notes
    -----
    Micikevicius et al., "Mixed precision training", arXiv:1710.03740, section 3.
    """

    def __init__(self, precision, device):
        if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
            raise ValueError(
                f'precision="bf16" needs a newer GPU than {torch.cuda.get_device_name(device)}: '
                'use precision="16" or "32"'
            )
        self.precision, self.scales = precision, precision == "16"
        self.device_type = device.type
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.scales)

    def autocast(self):
        """Context of a forward pass in training."""
        if self.precision == "32":
            return contextlib.nullcontext()
        return torch.autocast(self.device_type, dtype=HALF[self.precision])

    def backward(self, loss):
        """Compute gradients; for float16 they are scaled until :meth:`unscale`."""
        self._scaler.scale(loss).backward()

    def unscale(self, optimizer):
        """Bring gradients to their true size, before anything looks at them or limits them."""
        self._scaler.unscale_(optimizer)

    def step(self, optimizer):
        """Let the optimizer step, unless gradients overflowed; then the next scale is smaller.

        Returns
        -------
        value : object
            What the optimizer returns.
        """
        value = self._scaler.step(optimizer)
        self._scaler.update()
        return value

    def state_dict(self):
        """What a checkpoint must keep: plain numbers, empty where nothing is scaled."""
        return self._scaler.state_dict()

    def load_state_dict(self, state):
        """Go on with the scale of a checkpoint.

        Parameters
        ----------
        state : dict
            From :meth:`state_dict`.
        """
        self._scaler.load_state_dict(state)
