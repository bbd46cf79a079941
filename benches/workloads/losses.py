"""PyTorch's side of losses.rs. What PyTorch lacks is written as its users write it."""

import torch
from torch.nn import functional as F

from inputs import both_ways, integers, uniform

ELEMENTS, ROWS, CLASSES = 1_000_000, 4096, 1000


def unit(name, *shape):
    return uniform(name, *shape, low=0.0, high=1.0)


def labels(name, *shape):
    return (integers(name, *shape, bound=2) * 2 - 1).float()


def probabilities(name):
    return uniform(name, ELEMENTS, low=0.01, high=0.99)


def scores():
    return uniform("l.c.x", ROWS, CLASSES, low=-3.0, high=3.0)


def elements(make, loss):
    y = make("l.y", ELEMENTS)
    return both_ways(lambda x: loss(x, y), uniform("l.x", ELEMENTS))


def classes(loss):
    y = integers("l.c.y", ROWS, bound=CLASSES)
    return both_ways(lambda x: loss(x, y), scores())


def with_target(loss, x, y):
    return both_ways(lambda x: loss(x, y), x)


def pos_weight():
    weight, y = uniform("l.pw", CLASSES, low=0.5, high=3.0), unit("l.pw.y", ROWS, CLASSES)
    loss = lambda x, y: F.binary_cross_entropy_with_logits(x, y, pos_weight=weight)
    return with_target(loss, uniform("l.pw.x", ROWS, CLASSES), y)


def gaussian():
    y = uniform("l.g.y", ELEMENTS)
    loss = lambda x, v: F.gaussian_nll_loss(x, y, v)
    return both_ways(loss, uniform("l.g.x", ELEMENTS), uniform("l.g.v", ELEMENTS, low=0.1, high=2.0))


def margin_ranking():
    y = labels("l.mr.y", ELEMENTS)
    loss = lambda a, b: F.margin_ranking_loss(a, b, y, margin=0.1)
    return both_ways(loss, uniform("l.mr.a", ELEMENTS), uniform("l.mr.b", ELEMENTS))


def binary_focal(x, y, alpha=0.25, gamma=2.0):
    p = torch.sigmoid(x)
    ce = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    missed = 1 - (p * y + (1 - p) * (1 - y))
    return ((alpha * y + (1 - alpha) * (1 - y)) * ce * missed**gamma).mean()


def dice():
    shape = 16, 4, 128, 128
    y = integers("l.dice.y", *shape, bound=2).float()

    def loss(x):
        overlap, whole = (x * y).sum((2, 3)), x.sum((2, 3)) + y.sum((2, 3))
        return (1 - (2 * overlap + 1) / (whole + 1)).mean()

    return both_ways(loss, unit("l.dice.x", *shape))


def focal(x, y, gamma=2.0):
    log = F.log_softmax(x, -1).gather(1, y[:, None]).squeeze(1)
    return (-((1 - log.exp()) ** gamma) * log).mean()


def weighted():
    weight = uniform("l.ce.w", CLASSES, low=0.5, high=2.0)
    return classes(lambda x, y: F.cross_entropy(x, y, weight, label_smoothing=0.1))


def images():
    y = integers("l.ci.y", 8, 128, 128, bound=21)
    return with_target(F.cross_entropy, uniform("l.ci.x", 8, 21, 128, 128, low=-3.0, high=3.0), y)


def multilabel_margin():
    y = torch.full((ROWS, CLASSES), -1)
    y[:, :5] = integers("l.mm.y", ROWS, 5, bound=CLASSES)
    return with_target(F.multilabel_margin_loss, scores(), y)


def multilabel_soft_margin():
    y = integers("l.ms.y", ROWS, CLASSES, bound=2).float()
    return with_target(F.multilabel_soft_margin_loss, scores(), y)


def cosine():
    y = labels("l.cos.y", ROWS)
    loss = lambda a, b: F.cosine_embedding_loss(a, b, y, margin=0.1)
    return both_ways(loss, uniform("l.cos.0", ROWS, 256), uniform("l.cos.1", ROWS, 256))


def triplet(loss):
    return both_ways(loss, *(uniform(f"l.tri.{i}", ROWS, 256) for i in range(3)))


def triplet_with_distance(a, p, n):
    return F.triplet_margin_with_distance_loss(a, p, n, distance_function=lambda a, b: (a - b).abs().sum(-1))


def ctc():
    x = uniform("l.ctc.x", 100, 32, 64, low=-3.0, high=3.0).log_softmax(-1)
    y = integers("l.ctc.y", 32, 20, bound=63) + 1
    frames, length = torch.full((32,), 100), torch.full((32,), 20)
    return both_ways(lambda x: F.ctc_loss(x, y, frames, length), x)


WORKLOADS = {
    "mse_loss_fb": lambda: elements(uniform, F.mse_loss),
    "l1_loss_fb": lambda: elements(uniform, F.l1_loss),
    "smooth_l1_loss_fb": lambda: elements(uniform, lambda x, y: F.smooth_l1_loss(x, y, beta=0.5)),
    "huber_loss_fb": lambda: elements(uniform, lambda x, y: F.huber_loss(x, y, delta=0.5)),
    "bce_fb": lambda: with_target(F.binary_cross_entropy, probabilities("l.p.x"), probabilities("l.p.y")),
    "bce_with_logits_fb": lambda: elements(unit, F.binary_cross_entropy_with_logits),
    "bce_pos_weight_fb": pos_weight,
    "kl_div_fb": lambda: with_target(
        lambda x, y: F.kl_div(x, y, reduction="sum"), uniform("l.kl.x", ELEMENTS), probabilities("l.kl.y")
    ),
    "poisson_nll_loss_fb": lambda: elements(unit, F.poisson_nll_loss),
    "gaussian_nll_loss_fb": gaussian,
    "hinge_loss_fb": lambda: elements(labels, lambda x, y: (1 - x * y).clamp(min=0).mean()),
    "hinge_embedding_loss_fb": lambda: elements(labels, F.hinge_embedding_loss),
    "soft_margin_loss_fb": lambda: elements(labels, F.soft_margin_loss),
    "margin_ranking_loss_fb": margin_ranking,
    "binary_focal_loss_fb": lambda: elements(lambda *a: integers(*a, bound=2).float(), binary_focal),
    "dice_loss_fb": dice,
    "nll_loss_fb": lambda: classes(F.nll_loss),
    "focal_loss_fb": lambda: classes(focal),
    "multi_margin_loss_fb": lambda: classes(F.multi_margin_loss),
    "ce_weighted_fb": weighted,
    "ce_probabilities_fb": lambda: with_target(
        F.cross_entropy, scores(), uniform("l.cp.y", ROWS, CLASSES, low=0.0, high=0.002)
    ),
    "ce_images_fb": images,
    "multilabel_margin_loss_fb": multilabel_margin,
    "multilabel_soft_margin_loss_fb": multilabel_soft_margin,
    "cosine_embedding_loss_fb": cosine,
    "triplet_margin_loss_fb": lambda: triplet(lambda a, p, n: F.triplet_margin_loss(a, p, n, swap=True)),
    "triplet_margin_with_distance_loss_fb": lambda: triplet(triplet_with_distance),
    "ctc_loss_fb": ctc,
}
