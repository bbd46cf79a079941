#!/usr/bin/env python3
"""Records seeded draws and training runs from an installed PyTorch, in the families `rng` and `runs`.

    python3 tests/golden/record_draws.py --seeds 0 1 42 [--large] [--only WORD] [--directory DIR]

Cases of the same seeds, calls and arguments are replaced, others are kept. --large draws more and longer lists than the
project carries.
"""

import argparse
import copy
import json
import pathlib

import torch
from torch import nn

import store

OWN = pathlib.Path(__file__).parent / "cases"
FLOATS = ["float32", "float64"]


def dtype(name):
    return getattr(torch, name)


def empty(count, name):
    return torch.empty(count, dtype=dtype(name))


def view(shape, order, name="float32"):
    """Ones that lie in memory in another order."""
    return torch.ones(shape, dtype=dtype(name)).permute(order)


def tensor(values, name):
    return torch.tensor(values, dtype=dtype(name))


# What each call means; the last argument is the name of the dtype.
CALLS = {
    "rand": lambda n, d: torch.rand(n, dtype=dtype(d)),
    "randn": lambda n, d: torch.randn(n, dtype=dtype(d)),
    "uniform_": lambda a, b, n, d: empty(n, d).uniform_(a, b),
    "normal_": lambda mean, std, n, d: empty(n, d).normal_(mean, std),
    "exponential_": lambda rate, n, d: empty(n, d).exponential_(rate),
    "cauchy_": lambda median, sigma, n, d: empty(n, d).cauchy_(median, sigma),
    "log_normal_": lambda mean, std, n, d: empty(n, d).log_normal_(mean, std),
    "geometric_": lambda p, n, d: empty(n, d).geometric_(p),
    "bernoulli_": lambda p, n, d: empty(n, d).bernoulli_(p),
    "bernoulli": lambda p, d: torch.bernoulli(tensor(p, d)),
    "normal": lambda mean, std, d: torch.normal(tensor(mean, d), tensor(std, d)),
    "poisson": lambda rates, d: torch.poisson(tensor(rates, d)),
    "binomial": lambda counts, p, d: torch.binomial(tensor(counts, d), tensor(p, d)),
    "gamma": lambda shapes, d: torch.distributions.Gamma(tensor(shapes, d), tensor([1.0], d)).sample(),
    "dirichlet": lambda rows, d: torch.distributions.Dirichlet(tensor(rows, d)).sample(),
    "beta": lambda a, b, d: torch.distributions.Beta(tensor(a, d), tensor(b, d)).sample(),
    "randint": lambda low, high, n, d: torch.randint(low, high, (n,)),
    "randperm": lambda n, d: torch.randperm(n),
    "multinomial": lambda weights, n, replacement, d: torch.multinomial(tensor(weights, d), n, replacement),
    "rand_like": lambda shape, order, d: torch.rand_like(view(shape, order, d)),
    "randn_like": lambda shape, order, d: torch.randn_like(view(shape, order, d)),
    "randint_like": lambda low, high, shape, order, d: torch.randint_like(view(shape, order, d), low, high),
    "dropout": lambda p, shape, order, d: nn.functional.dropout(view(shape, order, d), p),
    # The state itself, as 64-bit numbers.
    "get_rng_state": lambda d: torch.get_rng_state().view(torch.int64),
}


def call(name, args, dtype_name):
    if name.startswith("nn.init."):
        shape, options = args
        with torch.no_grad():
            return getattr(nn.init, name.removeprefix("nn.init."))(torch.zeros(shape), **options)
    return CALLS[name](*args, dtype_name)


def draws(large):
    """Calls with their arguments and dtype."""
    lengths = [1, 3, 15, 16, 17, 33] + ([2, 14, 18, 31, 32, 47, 100, 623, 624, 625, 1000, 5000] if large else [])
    for name in FLOATS:
        for n in lengths:
            yield "rand", [n], name
            yield "randn", [n], name
            yield "uniform_", [-0.3, 1.7, n], name
            yield "normal_", [1.5, 0.02, n], name
            yield "dropout", [0.3, [n], [0]], name
        several = [1, 17] + ([5, 16, 300, 5000] if large else [])
        for n in several:
            for rate in (1.0, 0.3, 7.5):
                yield "exponential_", [rate, n], name
            yield "cauchy_", [0.0, 1.0, n], name
            yield "cauchy_", [-2.5, 0.1, n], name
            yield "log_normal_", [1.0, 2.0, n], name
            yield "log_normal_", [0.0, 0.25, n], name
            for p in (0.5, 0.03, 0.9):
                yield "geometric_", [p, n], name
                yield "bernoulli_", [p, n], name
        many = 40 if large else 4
        yield "bernoulli", [[0.0, 0.1, 0.3, 0.5, 0.9, 1.0] * many], name
        yield "normal", [[0.0, 1.0, -3.0, 100.0] * many, [1.0, 0.0, 0.5, 2.0] * many], name
        yield "poisson", [[0.0, 0.5, 3.0, 9.99, 10.0, 11.5, 60.0, 1000.0, 123456.0] * many], name
        yield "binomial", [[10.0, 0.0, 5.0, 40.0, 1000.0, 1e6, 30.0] * many, [0.3, 0.5, 1.0, 0.9, 0.4, 0.2, 0.5] * many], name
        yield "gamma", [[0.01, 0.3, 0.999, 1.0, 1.5, 7.0, 300.0] * many], name
        yield "dirichlet", [[[0.5, 1.0, 2.0, 0.1], [10.0, 0.2, 3.0, 1.0]] * many], name
        yield "beta", [[0.5, 2.0, 7.0] * many, [0.5, 1.0, 0.1] * many], name
        weights = [0.1, 0.2, 0.3, 0.0, 0.4, 2.5, 0.01]
        for n in (1, 2, 5):
            yield "multinomial", [weights, n, True], name
            yield "multinomial", [weights, n, False], name
            yield "multinomial", [[weights, weights[::-1], [1.0] * 7], n, True], name
            yield "multinomial", [[weights, weights[::-1], [1.0] * 7], n, False], name
        yield "multinomial", [weights, 50 * many, True], name
        yield "multinomial", [list(range(1, 200)), 100, False], name
        for shape, order in (([4, 6], [1, 0]), ([4, 6], [0, 1]), ([2, 3, 4], [2, 0, 1]), ([3, 5], [1, 0]), ([2, 1, 5, 3], [3, 1, 0, 2])):
            yield "rand_like", [shape, order], name
            yield "randn_like", [shape, order], name
            yield "randint_like", [-3, 9, shape, order], name
            yield "dropout", [0.4, shape, order], name
    ranges = [(0, 2), (-5, 5), (0, 1), (0, 2**28 - 1), (0, 2**28), (-(2**31), 2**31), (0, 2**32), (-7, 2**40)]
    for low, high in ranges + [(-(2**62), 2**62), (-(2**63), 2**63 - 1), (2**62, 2**63 - 1)]:
        yield "randint", [low, high, 12], "int64"
    for n in [0, 1, 2, 7, 16, 100] + ([623, 1000, 20000] if large else []):
        yield "randperm", [n], "int64"
    for shape in ([6, 5], [5, 6], [4, 3, 3], [16, 16], [8, 2, 3, 3]):
        yield "nn.init.uniform_", [shape, {"a": -0.1, "b": 0.3}], None
        yield "nn.init.normal_", [shape, {"mean": 0.5, "std": 0.02}], None
        yield "nn.init.xavier_uniform_", [shape, {"gain": 1.3}], None
        yield "nn.init.xavier_normal_", [shape, {}], None
        yield "nn.init.kaiming_uniform_", [shape, {"a": 0.2, "mode": "fan_out"}], None
        yield "nn.init.kaiming_normal_", [shape, {"nonlinearity": "selu"}], None
        yield "nn.init.orthogonal_", [shape, {"gain": 0.7}], None
        yield "nn.init.trunc_normal_", [shape, {}], None
        yield "nn.init.trunc_normal_", [shape, {"mean": 1.0, "std": 0.5, "a": 1.8, "b": 2.5}], None
        yield "nn.init.trunc_normal_", [shape, {"std": 0.02}], None
    yield "nn.init.sparse_", [[10, 6], {"sparsity": 0.3}], None
    yield "nn.init.sparse_", [[7, 5], {"sparsity": 0.55, "std": 0.2}], None


# What comes after another must not depend on how that was drawn.
SEQUENCES = [
    [("randn", [3], "float32"), ("randn", [17], "float32"), ("randn", [2], "float64"), ("rand", [3], "float32")],
    [("randn", [5], "float64"), ("randperm", [9], "int64"), ("log_normal_", [0.0, 1.0, 4], "float32"), ("randn", [1], "float32")],
    [("dropout", [0.5, [7], [0]], "float32"), ("randint", [0, 10, 5], "int64"), ("dropout", [0.1, [33], [0]], "float64")],
    [("gamma", [[0.5, 2.0, 2.0]], "float32"), ("randn", [2], "float32"), ("poisson", [[3.0, 30.0]], "float32"), ("rand", [2], "float32")],
    [("multinomial", [[1.0, 2.0, 3.0], 2, False], "float32"), ("exponential_", [1.0, 3], "float64"), ("rand", [3], "float64")],
    [("rand", [3], "float32"), ("get_rng_state", [], None)],
    [("randn", [3], "float32"), ("get_rng_state", [], None)],
    [("rand", [624], "float32"), ("get_rng_state", [], None), ("rand", [1], "float32"), ("get_rng_state", [], None)],
    [("get_rng_state", [], None)],
]


def values(result):
    return [float(x) if result.is_floating_point() else int(x) for x in result.flatten()]


def rng_cases(seed, large, only):
    for name, args, dtype_name in draws(large):
        if only in name:
            torch.manual_seed(seed)
            case = {"family": "rng", "seed": seed, "call": name, "args": args}
            if name.startswith("nn.init."):
                case["args"], case["kwargs"] = [args[0]], args[1]
            if dtype_name is not None:
                case["dtype"] = dtype_name
            yield {**case, "values": values(call(name, args, dtype_name))}
    for sequence in SEQUENCES:
        if only in "sequence":
            torch.manual_seed(seed)
            drawn = [values(call(*step)) for step in sequence]
            yield {"family": "rng", "seed": seed, "call": "sequence", "args": [list(step) for step in sequence], "values": drawn}


def simple_model(seed):
    """The linear model of the first page: its printed lines and the numbers behind them."""
    torch.manual_seed(seed)
    dataset = torch.utils.data.TensorDataset(torch.randn(100, 10), torch.randint(0, 2, (100,)))
    loader = torch.utils.data.DataLoader(dataset, batch_size=10, shuffle=True)
    model, criterion = nn.Linear(10, 2), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    lines, means = [], []
    for epoch in range(3):
        for training in (True, False):
            total = 0.0
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss = criterion(model(inputs), targets)
                if training:
                    loss.backward()
                    optimizer.step()
                total += loss.item() * inputs.size(0)
            means.append(total / len(dataset))
            lines.append(f"Epoch {epoch + 1}{', Train Loss' if training else ' Validation Loss'}: {means[-1]:.4f}")
    return {"family": "runs", "run": "simple_model", "seed": seed, "lines": lines, "values": means}


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4),
    "Adam": lambda p: torch.optim.Adam(p, lr=5e-4),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=1e-3, centered=True, momentum=0.5),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=1e-3),
}


def small_cnn_parts(seed):
    """Images, labels and the network, drawn in this order."""
    torch.manual_seed(seed)
    x, y = torch.randn(64, 1, 12, 12), torch.randint(0, 10, (64,))
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(128, 32), nn.Tanh(), nn.Linear(32, 10),
    )
    return x, y, model


def train(model, x, y, name, steps=40):
    """Full-batch steps; losses and gradient norms."""
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = OPTIMIZERS[name](model.parameters())
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
    losses, norms = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        losses.append(loss.item())
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimizer.step()
        scheduler.step()
    return losses, norms


def small_cnn(seed, name):
    x, y, model = small_cnn_parts(seed)
    true_losses, true_norms = train(copy.deepcopy(model).double(), x.double(), y, name)
    losses, norms = train(model, x, y, name)
    return {
        "family": "runs", "run": "small_cnn", "optimizer": name, "seed": seed, "losses": losses, "grad_norms": norms,
        "final_running_mean": model[1].running_mean.tolist(), "final_last_bias": model[9].bias.tolist(),
        "true_losses": true_losses, "true_grad_norms": true_norms,
    }


def run_cases(seed, only):
    if only in "simple_model":
        yield simple_model(seed)
    for name in OPTIMIZERS:
        if only in f"small_cnn {name}":
            yield small_cnn(seed, name)


def identity(case):
    parts = ("call", "args", "kwargs", "dtype", "seed", "run", "optimizer")
    return json.dumps([case.get(part) for part in parts])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 42])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only", default="", help="a part of the names of calls or runs")
    parser.add_argument("--families", nargs="+", choices=["rng", "runs"], default=["rng", "runs"])
    parser.add_argument("--directory", type=pathlib.Path, default=OWN)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    new = {"rng": [], "runs": []}
    for seed in arguments.seeds:
        new["rng"] += rng_cases(seed, arguments.large, arguments.only)
        new["runs"] += run_cases(seed, arguments.only)
    for family in arguments.families:
        replaced = {identity(case) for case in new[family]}
        kept = [case for case in store.read_cases(arguments.directory, family) if identity(case) not in replaced]
        store.write_cases(arguments.directory, family, kept + new[family])
        print(f"{family}: {len(kept)} kept, {len(new[family])} recorded")


if __name__ == "__main__":
    main()
