"""The inputs of the workloads: the numbers by name of data.rs, and what is done with them."""

import numpy as np
import torch


def bits(name, count):
    """The counter-based numbers of data.rs."""
    start = 0xCBF29CE484222325
    for byte in name.encode():
        start = (start ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(start) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return z ^ z >> np.uint64(31)


def uniform(name, *shape, low=-1.0, high=1.0):
    low, high = np.float32(low), np.float32(high)
    unit = (bits(name, int(np.prod(shape))) >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)
    return torch.from_numpy((low + unit * (high - low)).reshape(shape))


def integers(name, *shape, bound):
    values = (bits(name, int(np.prod(shape))) >> np.uint64(33)) % np.uint64(bound)
    return torch.from_numpy(values.astype(np.int64).reshape(shape))


def forward(f, *inputs):
    return lambda: [f(*inputs)]


def both_ways(f, *inputs):
    inputs = [x.requires_grad_() for x in inputs]
    ones = torch.ones_like(f(*inputs))

    def step():
        y = f(*inputs)
        return [y.detach(), *torch.autograd.grad(y, inputs, ones)]

    return step
