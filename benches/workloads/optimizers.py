"""PyTorch's side of optimizers.rs, each optimizer in the fastest of its forms."""

import time

import torch
from torch import nn
from torch.optim import swa_utils

from inputs import integers, uniform

LARGE, SMALL = (10, (1000, 1000)), (500, (25, 40))


def parameters(size):
    count, shape = size
    made = [nn.Parameter(uniform(f"o.p{i}", *shape)) for i in range(count)]
    for i, parameter in enumerate(made):
        parameter.grad = uniform(f"o.g{i}", *shape)
    return made


def changes(parameters, f):
    """By how much the first and the last parameter have moved after three times."""
    ends = parameters[0], parameters[-1]
    before = [end.detach().clone() for end in ends]
    times = 0

    def step():
        nonlocal times
        f()
        times += 1
        return [end.detach() - start for end, start in zip(ends, before)] if times == 3 else []

    step.checked = lambda: [step() for _ in range(3)][-1]
    return step


def fastest(builds):
    """The fastest of several forms of one step, by a few tries."""
    steps = [build() for build in builds]
    if len(steps) == 1:
        return steps[0]

    def duration(step):
        step()
        times = []
        for _ in range(3):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        return min(times)

    best = min(range(len(steps)), key=lambda i: duration(steps[i]))
    del steps
    return builds[best]()


def step(size, optimizer, forms=({"foreach": False}, {"foreach": True}), **options):
    def build(form):
        made = parameters(size)
        return changes(made, optimizer(made, **options, **form).step)

    return fastest([lambda form=form: build(form) for form in forms])


class Lion(torch.optim.Optimizer):
    """As its authors published it, with foreach functions."""

    def __init__(self, parameters, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(parameters, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (beta1, beta2) = group["lr"], group["betas"]
            values = group["params"]
            grads = [value.grad for value in values]
            for value in values:
                if not self.state[value]:
                    self.state[value]["exp_avg"] = torch.zeros_like(value)
            averages = [self.state[value]["exp_avg"] for value in values]
            torch._foreach_mul_(values, 1 - lr * group["weight_decay"])
            change = torch._foreach_lerp(averages, grads, 1 - beta1)
            torch._foreach_sign_(change)
            torch._foreach_add_(values, change, alpha=-lr)
            torch._foreach_lerp_(averages, grads, 1 - beta2)


def sparse_adam():
    weight = nn.Parameter(uniform("o.emb.w", 100_000, 64))
    rows = integers("o.emb.i", 4096, bound=100_000)
    weight.grad = torch.sparse_coo_tensor(rows[None], uniform("o.emb.g", 4096, 64), weight.shape)
    return changes([weight], torch.optim.SparseAdam([weight]).step)


def lbfgs(line_search_fn):
    start, curvature = uniform("o.lbfgs.w", 1_000_000), uniform("o.lbfgs.c", 1_000_000, low=0.1, high=4.0)
    weight = nn.Parameter(start.clone())

    def step():
        with torch.no_grad():
            weight.copy_(start)
        optimizer = torch.optim.LBFGS(
            [weight], lr=0.5, max_iter=10, history_size=10, line_search_fn=line_search_fn
        )

        def closure():
            optimizer.zero_grad()
            loss = (weight * weight * curvature).sum()
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        return [loss.detach(), weight.detach()]

    return step


def clip(size):
    def build(foreach):
        made = parameters(size)

        def step():
            norm = nn.utils.clip_grad_norm_(made, 1.0, foreach=foreach)
            return [norm.reshape(1), made[0].grad]

        return step

    return fastest([lambda: build(False), lambda: build(True)])


def clip_value():
    def build(foreach):
        made = parameters(LARGE)

        def step():
            nn.utils.clip_grad_value_(made, 0.5, foreach=foreach)
            return [made[0].grad]

        return step

    return fastest([lambda: build(False), lambda: build(True)])


def ema(size):
    count, shape = size
    model = nn.ParameterList(parameters(size))
    averaged = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.9))
    averaged.update_parameters(model)
    with torch.no_grad():
        for i, parameter in enumerate(model):
            parameter.copy_(uniform(f"o.e{i}", *shape))

    def step():
        averaged.update_parameters(model)
        return [averaged.module[0].detach()]

    return step


def copy():
    source = uniform("o.copy", 10_000_000)
    to = torch.zeros_like(source)
    return lambda: [to.copy_(source)]


FUSED = {"foreach": False}, {"foreach": True}, {"fused": True}
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, FUSED, {}),
    "sgd_momentum": (torch.optim.SGD, FUSED, {"momentum": 0.9}),
    "adam": (torch.optim.Adam, FUSED, {}),
    "amsgrad": (torch.optim.Adam, FUSED, {"amsgrad": True}),
    "adamw": (torch.optim.AdamW, FUSED, {}),
    "rmsprop": (torch.optim.RMSprop, FUSED[:2], {}),
    "rmsprop_centered": (torch.optim.RMSprop, FUSED[:2], {"centered": True, "momentum": 0.9}),
    "adagrad": (torch.optim.Adagrad, FUSED, {}),
    "adadelta": (torch.optim.Adadelta, FUSED[:2], {}),
    "adamax": (torch.optim.Adamax, FUSED[:2], {}),
    "nadam": (torch.optim.NAdam, FUSED[:2], {}),
    "radam": (torch.optim.RAdam, FUSED[:2], {}),
    "rprop": (torch.optim.Rprop, FUSED[:2], {}),
    "asgd": (torch.optim.ASGD, FUSED[:2], {}),
    "adafactor": (torch.optim.Adafactor, FUSED[:2], {}),
    "lion": (Lion, [{}], {}),
}
WORKLOADS = {
    f"{name}_step_{suffix}": lambda size=size, of=of: step(size, of[0], of[1], **of[2])
    for name, of in OPTIMIZERS.items()
    for suffix, size in (("10m", LARGE), ("500_small", SMALL))
}
WORKLOADS |= {
    "muon_step": lambda: step((4, (512, 512)), torch.optim.Muon, [{}]),
    "muon_step_small": lambda: step((50, (32, 32)), torch.optim.Muon, [{}]),
    "sparse_adam_step": sparse_adam,
    "lbfgs_step": lambda: lbfgs(None),
    "lbfgs_strong_wolfe_step": lambda: lbfgs("strong_wolfe"),
    "clip_grad_norm_10m": lambda: clip(LARGE),
    "clip_grad_norm_500_small": lambda: clip(SMALL),
    "clip_grad_value_10m": clip_value,
    "ema_10m": lambda: ema(LARGE),
    "ema_500_small": lambda: ema(SMALL),
    "copy_10m": copy,
}
