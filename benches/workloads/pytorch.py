"""PyTorch's side of the workloads: the same inputs, first weights, steps and measuring rule as `main.rs`.

    python pytorch.py [--threads N] [--only a,b] [--quick] [--check]
"""

import argparse
import json
import os
import statistics
import time

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--only")
parser.add_argument("--quick", action="store_true")
parser.add_argument("--check", action="store_true")
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(options.threads)

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import losses
import optimizers
from inputs import both_ways, forward, integers, uniform

torch.set_num_threads(options.threads)


def fill(module, name, fan_in):
    """Gives a layer the first weights that go by a name."""
    bound = float(np.float32(fan_in**-0.5))
    with torch.no_grad():
        for suffix, parameter in ((".w", module.weight), (".b", module.bias)):
            if parameter is not None:
                parameter.copy_(uniform(name + suffix, *parameter.shape, low=-bound, high=bound))
    return module


def linear(name, inputs, outputs):
    return fill(nn.Linear(inputs, outputs), name, inputs)


def convolution(name, inputs, outputs, bias=True):
    return fill(nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias), name, 9 * inputs)


class ResidualBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = convolution("res.c1", 64, 64, False), nn.BatchNorm2d(64)
        self.conv2, self.norm2 = convolution("res.c2", 64, 64, False), nn.BatchNorm2d(64)

    def forward(self, x):
        return F.relu(x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


class Block(nn.Module):
    def __init__(self, name, width=128, heads=4):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = linear(f"{name}.qkv", width, 3 * width)
        self.projection = linear(f"{name}.proj", width, width)
        self.up, self.down = linear(f"{name}.fc1", width, 4 * width), linear(f"{name}.fc2", 4 * width, width)

    def attention(self, x):
        batch, length, width = x.shape
        heads = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*heads, is_causal=True)
        return self.projection(mixed.transpose(1, 2).reshape(batch, length, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(96, 128, _weight=uniform("gpt.tok", 96, 128, low=-0.1, high=0.1))
        self.positions = nn.Parameter(uniform("gpt.pos", 64, 128, low=-0.1, high=0.1))
        self.blocks = nn.Sequential(Block("gpt.0"), Block("gpt.1"), nn.LayerNorm(128), linear("gpt.head", 128, 96))

    def forward(self, x):
        return self.blocks(self.tokens(x) + self.positions).view(-1, 96)


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(64, 128, batch_first=True), linear("lstm.head", 128, 10)
        bound = float(np.float32(128**-0.5))
        with torch.no_grad():
            for name, parameter in zip(("w_ih", "w_hh", "b_ih", "b_hh"), self.lstm.parameters()):
                parameter.copy_(uniform(f"lstm.{name}", *parameter.shape, low=-bound, high=bound))

    def forward(self, x):
        _, (hidden, _) = self.lstm(x)
        return self.head(hidden[-1])


def train(model, optimizer, x, y=None):
    def step():
        optimizer.zero_grad()
        out = model(x)
        loss = F.cross_entropy(out, y) if y is not None else out.square().mean()
        loss.backward()
        optimizer.step()
        return [loss.detach()]

    return step


def tiny_mlp():
    model = linear("tiny.l", 10, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return train(model, optimizer, uniform("tiny.x", 10, 10), integers("tiny.y", 10, bound=2))


def mlp():
    layers = linear("mlp.l1", 784, 512), nn.ReLU(), linear("mlp.l2", 512, 256), nn.ReLU(), linear("mlp.l3", 256, 10)
    model = nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return train(model, optimizer, uniform("mlp.x", 64, 784, low=0.0), integers("mlp.y", 64, bound=10))


def cnn():
    first = convolution("cnn.c1", 1, 16), nn.ReLU(), nn.MaxPool2d(2)
    second = convolution("cnn.c2", 16, 32), nn.ReLU(), nn.MaxPool2d(2)
    last = nn.Flatten(), linear("cnn.l1", 1568, 128), nn.ReLU(), linear("cnn.l2", 128, 10)
    model = nn.Sequential(*first, *second, *last)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
    return train(model, optimizer, uniform("cnn.x", 64, 1, 28, 28), integers("cnn.y", 64, bound=10))


def resblock():
    model = ResidualBlock()
    return train(model, torch.optim.SGD(model.parameters(), lr=0.01), uniform("res.x", 16, 64, 32, 32))


def gpt():
    model = Gpt()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    return train(model, optimizer, integers("gpt.x", 16, 64, bound=96), integers("gpt.y", 1024, bound=96))


def lstm():
    model = Lstm()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return train(model, optimizer, uniform("lstm.x", 32, 32, 64), integers("lstm.y", 32, bound=10))


def matmul(n):
    return forward(torch.matmul, uniform(f"m.mm{n}.a", n, n), uniform(f"m.mm{n}.b", n, n))


def cross_entropy(name, rows, classes):
    targets = integers(f"{name}.y", rows, bound=classes)
    logits = uniform(f"{name}.x", rows, classes, low=-3.0, high=3.0)
    return both_ways(lambda x: F.cross_entropy(x, targets), logits)


def convolve(name, images, weight, bound):
    groups, padding = images[1] // weight[1], weight[2] // 2
    weight = uniform(f"{name}.w", *weight, low=-bound, high=bound)
    images = uniform(f"{name}.x", *images)
    return both_ways(lambda x, w: F.conv2d(x, w, padding=padding, groups=groups), images, weight)


def embedding():
    indices = integers("m.emb.i", 64, 64, bound=10_000)
    return both_ways(lambda w: F.embedding(indices, w), uniform("m.emb.w", 10_000, 128))


def attention(name, *shape):
    inputs = [uniform(f"{name}.{x}", *shape) for x in "qkv"]
    return both_ways(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), *inputs)


def layer_norm():
    weight = uniform("m.ln.w", 768, low=0.5, high=1.5)
    return both_ways(
        lambda x, w, b: F.layer_norm(x, (768,), w, b), uniform("m.ln.x", 4096, 768), weight, uniform("m.ln.b", 768)
    )


def chain():
    x = uniform("m.chain.x", 16).requires_grad_()
    a = uniform("m.chain.a", 16, low=-0.1, high=0.1).requires_grad_()
    b = uniform("m.chain.b", 16, low=0.9, high=1.1).requires_grad_()

    def step():
        y = x
        for i in range(50):
            y = y * b if i % 2 else y + a
        return [y.detach(), *torch.autograd.grad(y.sum(), [x, a, b])]

    return step


STEPS = {f.__name__: f for f in (tiny_mlp, mlp, cnn, resblock, gpt, lstm)}
KERNELS = {
    "matmul_64": lambda: matmul(64),
    "matmul_256": lambda: matmul(256),
    "matmul_1024": lambda: matmul(1024),
    "matmul_tall": lambda: forward(torch.matmul, uniform("m.tall.a", 4096, 64), uniform("m.tall.b", 64, 512)),
    "bmm": lambda: forward(torch.matmul, uniform("m.bmm.a", 64, 64, 32), uniform("m.bmm.b", 64, 32, 64)),
    "add_1m": lambda: forward(torch.add, uniform("m.add.a", 1_000_000), uniform("m.add.b", 1_000_000)),
    "add_bias": lambda: forward(torch.add, uniform("m.bias.a", 4096, 1024), uniform("m.bias.b", 1024)),
    "exp_1m": lambda: forward(torch.exp, uniform("m.exp.x", 1_000_000, low=-3.0, high=3.0)),
    "gelu_1m": lambda: forward(F.gelu, uniform("m.gelu.x", 1_000_000, low=-3.0, high=3.0)),
    "sum_all_4m": lambda: forward(torch.sum, uniform("m.sum.x", 4_000_000)),
    "sum_dim0": lambda: forward(lambda x: x.sum(0), uniform("m.sum0.x", 4096, 1024)),
    "softmax": lambda: forward(lambda x: x.softmax(-1), uniform("m.softmax.x", 4096, 1000, low=-3.0, high=3.0)),
    "layernorm_fb": layer_norm,
    "ce_fb": lambda: cross_entropy("m.ce", 4096, 1000),
    "ce_fb_vocab": lambda: cross_entropy("m.cev", 512, 32_000),
    "conv2d_fb": lambda: convolve("m.conv", (8, 64, 56, 56), (64, 64, 3, 3), 0.1),
    "conv1_fb": lambda: convolve("m.conv1", (64, 1, 28, 28), (16, 1, 3, 3), 0.5),
    "conv1x1_fb": lambda: convolve("m.conv1x1", (8, 64, 56, 56), (256, 64, 1, 1), 0.1),
    "conv1x1_fb_small": lambda: convolve("m.conv1x1s", (8, 512, 7, 7), (2048, 512, 1, 1), 0.1),
    "depthwise_fb": lambda: convolve("m.depth", (8, 64, 56, 56), (64, 1, 3, 3), 0.5),
    "depthwise_fb_small": lambda: convolve("m.depths", (8, 960, 7, 7), (960, 1, 3, 3), 0.5),
    "maxpool_fb": lambda: both_ways(lambda x: F.max_pool2d(x, 2), uniform("m.pool.x", 64, 16, 28, 28)),
    "embedding_fb": embedding,
    "attention_fb": lambda: attention("m.att", 16, 4, 64, 32),
    "attention_fb_long": lambda: attention("m.attl", 4, 8, 512, 64),
    "transpose_copy": lambda: forward(lambda x: x.t().contiguous(), uniform("m.tr.x", 2048, 2048)),
    "chain_small": chain,
}


def digest(tensor):
    values = tensor.detach().double().flatten().numpy()
    i = np.arange(values.size)
    weights = (i % 97 - 48.0) / 48.0 * (1.0 + i % 1009 / 1009.0)
    root = np.sqrt(values.size)
    return [values.size, values.mean(), np.sqrt((values**2).mean()), (values * weights).sum() / root]


def measure(step):
    warm_up, least, span = (1, 3, 0.1) if options.quick else (5, 20, 1.5)
    for _ in range(warm_up):
        step()
    times, start, used = [], time.perf_counter(), time.process_time()
    while len(times) < least or time.perf_counter() - start < span:
        begin = time.perf_counter()
        step()
        times.append((time.perf_counter() - begin) * 1e6)
    cores = (time.process_time() - used) / (time.perf_counter() - start)
    return {
        "threads": options.threads,
        "median_us": round(statistics.median(times), 3),
        "min_us": round(min(times), 3),
        "iters": len(times),
        "cores": round(cores, 2),
    }


for name, build in {**STEPS, **KERNELS, **losses.WORKLOADS, **optimizers.WORKLOADS}.items():
    if options.only and name not in options.only.split(","):
        continue
    step = build()
    if not options.check:
        result = measure(step)
    elif name in STEPS:
        result = {"losses": [round(step()[0].item(), 6) for _ in range(20)]}
    else:
        result = {"check": [digest(tensor) for tensor in getattr(step, "checked", step)()]}
    print(json.dumps({"engine": "torch", "workload": name, **result}), flush=True)
