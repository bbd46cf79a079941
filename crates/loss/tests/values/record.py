"""Writes the cases of this folder: losses and gradients by an installed PyTorch, in float64.

    python crates/loss/tests/values/record.py && cargo fmt -p chainrule-loss

A case is a call in Rust, as text, and the same with PyTorch's functions; of losses that PyTorch lacks, their definition.
Inputs are waves, which both sides compute from a seed, a shape and bounds; main.rs says what is compared.
"""

import math, pathlib, re, torch, torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def wave(seed, shape, low=-2.0, high=2.0):
    n = math.prod(shape)
    v = [low + (high - low) * (0.5 + 0.5 * math.sin(1.3 * i + seed)) for i in range(n)]
    return torch.tensor(v).reshape(shape)


inf = math.inf
I = lambda x: torch.tensor(x)
groups = {}


def rs(shape):
    return "[" + ", ".join(map(str, shape)) + "]"


def case(group, label, inputs, rust, fn):
    xs = [wave(*a).requires_grad_() for a in inputs]
    y = fn(*xs)
    l = y if y.dim() == 0 else (y * wave(7, tuple(y.shape))).sum()
    gs = torch.autograd.grad(l, xs, allow_unused=True)
    want = [l.item()] + [0.0 if g is None else (g * wave(8, tuple(g.shape))).sum().item() for g in gs]

    def arg(a):
        f = lambda v: repr(float(v))
        return (
            f"wave({f(a[0])}, {rs(a[1])})" if len(a) == 2 else f"between({f(a[2])}, {f(a[3])}, {f(a[0])}, {rs(a[1])})"
        )

    args = ", ".join(map(arg, inputs))
    # split the call into the part before the options and the options
    i = [m.start() for m in re.finditer(r", &(?=\w+Loss)", rust)][-1]
    head = rust[:i]
    opts = rust[i + 3 : -1]
    T = re.match(r"\w+", opts).group(0)
    opts = opts.replace(", reduction: Reduction::Mean }", ", ..Default::default() }")
    opts = (
        opts.replace("reduction: Reduction::Mean, ", "")
        .replace(", reduction: Reduction::Mean", "")
        .replace("reduction: Reduction::Mean", "")
    )
    opts = re.sub(r"\{\s*,", "{", opts)
    opts = re.sub(r"wave\(([\d.]+), &(\[[^]]*\]), ([\d.]+), ([\d.]+)\)", r"between(\3, \4, \1, \2)", opts)
    opts = opts.replace("{  }", "{}").replace("Reduction::", "")
    opts = re.sub(r"^(\w+) \{ ?\.\.Default::default\(\) \}$", r"\1::new()", opts)
    opts = re.sub(r"^(\w+) \{ *\}$", r"\1::new()", opts)
    w = ", ".join(repr(float(v)) for v in want)
    groups.setdefault(group, {}).setdefault((args, head, T), []).append((label, opts, w))


# Reductions, in Rust and in PyTorch.
R = [("None", "none"), ("Mean", "mean"), ("Sum", "sum")]
xy = [(1, (2, 3)), (2, (2, 3))]


def two(group, T, f, tf, opts, inputs=xy, reductions=R):
    # opts: list of (label, rust fields, torch kwargs)
    for lab, rf, kw in opts:
        for rr, tr in (reductions if lab == "" else [("Mean", "mean")]):
            fields = ", ".join(v for v in [rf, f"reduction: Reduction::{rr}"] if v)
            n = len(inputs)
            a = ", ".join(f"&x[{i}]" for i in range(n))
            case(
                group,
                (lab + " " + tr).strip(),
                inputs,
                f"{f}({a}, &{T} {{ {fields}, ..Default::default() }})",
                lambda *xs, kw=kw, tr=tr: tf(*xs, reduction=tr, **kw),
            )


for name, Name, f in (("mse", "MSELoss", F.mse_loss), ("l1", "L1Loss", F.l1_loss)):
    two(
        name,
        Name,
        name + "_loss",
        f,
        [("", "", {}), ("weight", "weight: Some(wave(3.0, &[2, 3], 0.5, 2.0))", {"weight": wave(3, (2, 3), 0.5, 2.0)})],
    )
two(
    "smooth_l1",
    "SmoothL1Loss",
    "smooth_l1_loss",
    F.smooth_l1_loss,
    [("", "", {}), ("beta 0.3", "beta: 0.3", {"beta": 0.3}), ("beta 0", "beta: 0.0", {"beta": 0.0})],
)
two(
    "huber",
    "HuberLoss",
    "huber_loss",
    F.huber_loss,
    [
        ("", "", {}),
        ("delta 0.3", "delta: 0.3", {"delta": 0.3}),
        ("weight", "weight: Some(wave(3.0, &[2, 3], 0.5, 2.0))", {"weight": wave(3, (2, 3), 0.5, 2.0)}),
    ],
)
pr = [(1, (2, 3)), (2, (2, 3), 0.0, 1.0)]
two(
    "bce_with_logits",
    "BCEWithLogitsLoss",
    "binary_cross_entropy_with_logits",
    F.binary_cross_entropy_with_logits,
    [
        ("", "", {}),
        ("weight", "weight: Some(wave(3.0, &[3], 0.5, 2.0))", {"weight": wave(3, (3,), 0.5, 2.0)}),
        ("pos_weight", "pos_weight: Some(wave(3.0, &[3], 0.5, 2.0))", {"pos_weight": wave(3, (3,), 0.5, 2.0)}),
        (
            "both weights",
            "weight: Some(wave(4.0, &[2, 1], 0.5, 2.0)), pos_weight: Some(wave(3.0, &[3], 0.5, 2.0))",
            {"weight": wave(4, (2, 1), 0.5, 2.0), "pos_weight": wave(3, (3,), 0.5, 2.0)},
        ),
    ],
    inputs=pr,
)
pp = [(1, (2, 3)), (2, (2, 3), 0.1, 1.0)]
K = R + [("BatchMean", "batchmean")]
two("kl_div", "KLDivLoss", "kl_div", F.kl_div, [("", "", {})], inputs=pp, reductions=K)
for rr, tr in K:
    case(
        "kl_div",
        "log_target " + tr,
        xy,
        f"kl_div(&x[0], &x[1], &KLDivLoss {{ log_target: true, reduction: Reduction::{rr} }})",
        lambda x, y, tr=tr: F.kl_div(x, y, reduction=tr, log_target=True),
    )


# NLL
def nll(label, shape, target, rf, kw):
    case(
        "nll",
        label,
        [(1, shape)],
        f"nll_loss(&x[0], &Tensor::new({target}), &NLLLoss {{ {rf}..Default::default() }})",
        lambda x: F.nll_loss(x, I(target), **kw),
    )


for rr, tr in R:
    nll(tr, (3, 4), [2, 0, 2], f"reduction: Reduction::{rr}, ", {"reduction": tr})
W = wave(3, (4,), 0.5, 2.0)
wr = "weight: Some(wave(3.0, &[4], 0.5, 2.0)), "
for rr, tr in R:
    nll("weight " + tr, (3, 4), [2, -100, 1], wr + f"reduction: Reduction::{rr}, ", {"reduction": tr, "weight": W})
nll("ignore_index", (3, 4), [2, 0, 2], wr + "ignore_index: 0, ", {"weight": W, "ignore_index": 0})
nll("one row", (4,), 3, wr, {"weight": W})
m = [[[0, 2], [1, 3]], [[2, -100], [0, 0]]]
for rr, tr in R:
    nll("positions " + tr, (2, 4, 2, 2), m, wr + f"reduction: Reduction::{rr}, ", {"reduction": tr, "weight": W})
g3 = [(1, (2, 3)), (2, (2, 3)), (3, (2, 3), 0.5, 2.0)]
two(
    "gaussian_nll",
    "GaussianNLLLoss",
    "gaussian_nll_loss",
    F.gaussian_nll_loss,
    [("", "", {}), ("full", "full: true", {"full": True}), ("eps", "eps: 1.1", {"eps": 1.1})],
    inputs=g3,
)
for lab, i in (
    ("one variance for a row", [(1, (2, 3)), (2, (2, 3)), (3, (2,), 0.5, 2.0)]),
    ("one variance for a column", [(1, (2, 3)), (2, (2, 3)), (3, (1, 3), 0.5, 2.0)]),
    ("one target for a row", [(1, (2, 3)), (2, (2, 1)), (3, (2, 3), 0.5, 2.0)]),
    ("one target for a column", [(1, (2, 3)), (2, (3,)), (3, (2, 1), 0.5, 2.0)]),
):
    case(
        "gaussian_nll",
        lab,
        i,
        "gaussian_nll_loss(&x[0], &x[1], &x[2], &GaussianNLLLoss::new())",
        lambda x, y, v: F.gaussian_nll_loss(x, y, v),
    )
pc = [(1, (2, 3), 0.3, 3.0), (2, (2, 3), 0.2, 4.0)]
two(
    "poisson_nll",
    "PoissonNLLLoss",
    "poisson_nll_loss",
    F.poisson_nll_loss,
    [
        ("", "", {}),
        ("full", "full: true", {"full": True}),
        ("counts", "log_input: false", {"log_input": False}),
        ("counts, full, eps", "log_input: false, full: true, eps: 0.1", {"log_input": False, "full": True, "eps": 0.1}),
    ],
    inputs=pc,
)
T = [[1, -1, -1], [-1, 1, 0]]
for rr, tr in R:
    case(
        "hinge_embedding",
        tr,
        [(1, (2, 3))],
        f"hinge_embedding_loss(&x[0], &Tensor::new({T}), &HingeEmbeddingLoss {{ reduction: Reduction::{rr}, ..Default::default() }})",
        lambda x, tr=tr: F.hinge_embedding_loss(x, I(T), reduction=tr),
    )
case(
    "hinge_embedding",
    "margin",
    [(1, (2, 3))],
    f"hinge_embedding_loss(&x[0], &Tensor::new({[[1,-1,-1]]}), &HingeEmbeddingLoss {{ margin: 1.7, ..Default::default() }})",
    lambda x: F.hinge_embedding_loss(x, I([[1, -1, -1]]), margin=1.7),
)
two(
    "margin_ranking",
    "MarginRankingLoss",
    "margin_ranking_loss",
    F.margin_ranking_loss,
    [("", "", {}), ("margin", "margin: 0.7", {"margin": 0.7})],
    inputs=[(1, (2, 3)), (2, (2, 3)), (3, (2, 3))],
)
case(
    "margin_ranking",
    "sizes of 1",
    [(1, (2, 1)), (2, (2, 3))],
    f"margin_ranking_loss(&x[0], &x[1], &Tensor::new([[1, -1, 1]]), &MarginRankingLoss::new())",
    lambda a, b: F.margin_ranking_loss(a, b, I([[1, -1, 1]])),
)
S = [[1.0, -1.0, -1.0], [-1.0, 1.0, 1.0]]
for rr, tr in R:
    case(
        "soft_margin",
        tr,
        [(1, (2, 3))],
        f"soft_margin_loss(&x[0], &f64s({T[:1][0] and [[1,-1,-1],[-1,1,1]]})?, &SoftMarginLoss {{ reduction: Reduction::{rr} }})".replace(
            "f64s(", "f64s("
        ),
        lambda x, tr=tr: F.soft_margin_loss(x, torch.tensor(S), reduction=tr),
    )
for rr, tr in R:
    case(
        "cosine_embedding",
        tr,
        [(1, (4, 3)), (2, (4, 3))],
        f"cosine_embedding_loss(&x[0], &x[1], &Tensor::new([1, -1, 1, -1]), &CosineEmbeddingLoss {{ reduction: Reduction::{rr}, ..Default::default() }})",
        lambda a, b, tr=tr: F.cosine_embedding_loss(a, b, I([1, -1, 1, -1]), reduction=tr),
    )
case(
    "cosine_embedding",
    "margin",
    [(1, (4, 3)), (2, (4, 3))],
    "cosine_embedding_loss(&x[0], &x[1], &Tensor::new([-1, -1, 0, -1]), &CosineEmbeddingLoss { margin: -0.6, ..Default::default() })",
    lambda a, b: F.cosine_embedding_loss(a, b, I([-1, -1, 0, -1]), margin=-0.6),
)
case(
    "cosine_embedding",
    "one pair",
    [(1, (3,)), (2, (3,))],
    "cosine_embedding_loss(&x[0], &x[1], &Tensor::new(-1), &CosineEmbeddingLoss { margin: -0.9, ..Default::default() })",
    lambda a, b: F.cosine_embedding_loss(a, b, I(-1), margin=-0.9),
)
t3 = [(1, (4, 3)), (2.5, (4, 3)), (4, (4, 3))]
two(
    "triplet_margin",
    "TripletMarginLoss",
    "triplet_margin_loss",
    F.triplet_margin_loss,
    [
        ("", "", {}),
        ("margin 3", "margin: 3.0", {"margin": 3.0}),
        ("p 1", "p: 1.0", {"p": 1.0}),
        ("p 3, eps", "p: 3.0, eps: 0.1, margin: 2.5", {"p": 3.0, "eps": 0.1, "margin": 2.5}),
        ("swap", "swap: true, margin: 2.5", {"swap": True, "margin": 2.5}),
    ],
    inputs=t3,
)
sq = lambda a, b: (a - b).pow(2).sum(-1)
case(
    "triplet_margin",
    "a distance of its own",
    t3,
    "triplet_margin_with_distance_loss(&x[0], &x[1], &x[2], &TripletMarginWithDistanceLoss { distance_function: Some(Arc::new(|a, b| a.sub(b)?.square()?.sum_dim(-1, false))), margin: 4.0, swap: true, ..Default::default() })",
    lambda a, p, n: F.triplet_margin_with_distance_loss(a, p, n, distance_function=sq, margin=4.0, swap=True),
)
case(
    "triplet_margin",
    "the default distance",
    t3,
    "triplet_margin_with_distance_loss(&x[0], &x[1], &x[2], &TripletMarginWithDistanceLoss { reduction: Reduction::Sum, ..Default::default() })",
    lambda a, p, n: F.triplet_margin_with_distance_loss(a, p, n, reduction="sum"),
)


def mm(label, shape, target, rf, kw):
    case(
        "multi_margin",
        label,
        [(1, shape)],
        f"multi_margin_loss(&x[0], &Tensor::new({target}), &MultiMarginLoss {{ {rf}..Default::default() }})",
        lambda x: F.multi_margin_loss(x, I(target), **kw),
    )


for rr, tr in R:
    mm(tr, (3, 4), [2, 0, 2], f"reduction: Reduction::{rr}, ", {"reduction": tr})
mm("p 2, margin", (3, 4), [2, 0, 2], "p: 2, margin: 0.6, ", {"p": 2, "margin": 0.6})
for rr, tr in R:
    mm("weight " + tr, (3, 4), [2, 0, 1], wr + f"reduction: Reduction::{rr}, ", {"weight": W, "reduction": tr})
mm("one row, none", (4,), [1], "reduction: Reduction::None, ", {"reduction": "none"})
mm("one row", (4,), 1, "", {})
L = [[2, 0, -1, 1], [-1, 0, 0, 0], [3, 1, 2, -1]]
for rr, tr in R:
    case(
        "multilabel_margin",
        tr,
        [(1, (3, 4))],
        f"multilabel_margin_loss(&x[0], &Tensor::new({L}), &MultiLabelMarginLoss {{ reduction: Reduction::{rr} }})",
        lambda x, tr=tr: F.multilabel_margin_loss(x, I(L), reduction=tr),
    )
case(
    "multilabel_margin",
    "one row",
    [(1, (3,))],
    "multilabel_margin_loss(&x[0], &Tensor::new([2, -1, 0]), &MultiLabelMarginLoss::new())",
    lambda x: F.multilabel_margin_loss(x, I([2, -1, 0])),
)
two(
    "multilabel_soft_margin",
    "MultiLabelSoftMarginLoss",
    "multilabel_soft_margin_loss",
    F.multilabel_soft_margin_loss,
    [("", "", {}), ("weight", "weight: Some(wave(3.0, &[3], 0.5, 2.0))", {"weight": wave(3, (3,), 0.5, 2.0)})],
    inputs=pr,
)
# hinge: definition; focal: definition
for rr, tr in R:
    red = {"none": lambda t: t, "mean": torch.mean, "sum": torch.sum}[tr]
    Y = [[1, -1, -1], [-1, 1, 1]]
    for sq_ in (False, True):
        case(
            "hinge",
            ("squared " if sq_ else "") + tr,
            [(1, (2, 3))],
            f"hinge_loss(&x[0], &Tensor::new({Y}), &HingeLoss {{ squared: {str(sq_).lower()}, reduction: Reduction::{rr} }})",
            lambda x: red((1 - I(Y) * x).clamp_min(0) ** (2 if sq_ else 1)),
        )

    def sf(x, y, alpha, gamma):
        p = torch.sigmoid(x)
        ce = F.binary_cross_entropy_with_logits(x, y, reduction="none")
        pt = p * y + (1 - p) * (1 - y)
        l = ce * (1 - pt) ** gamma
        return red(l if alpha is None else (alpha * y + (1 - alpha) * (1 - y)) * l)

    for lab, a, gm in (("", 0.25, 2.0), ("alpha, gamma ", 0.7, 1.5), ("no alpha ", None, 0.5)):
        ra = "Option::None" if a is None else f"Some({a})"
        case(
            "binary_focal",
            lab + tr,
            pr,
            f"binary_focal_loss(&x[0], &x[1], &BinaryFocalLoss {{ alpha: {ra}, gamma: {gm}, reduction: Reduction::{rr} }})",
            lambda x, y: sf(x, y, a, gm),
        )

    def fl(x, y, w, gamma, ign):
        k = y != ign
        yy = torch.where(k, y, 0)
        lp = x.log_softmax(1).gather(1, yy.unsqueeze(1)).squeeze(1)
        l = -((1 - lp.exp()) ** gamma) * lp * (1.0 if w is None else w[yy]) * k
        return l if tr == "none" else l.sum() if tr == "sum" else l.sum() / k.sum()

    for lab, w, gm, tg, sh in (
        ("", None, 2.0, [2, 0, 2], (3, 4)),
        ("weight, gamma ", W, 1.5, [2, -100, 1], (3, 4)),
        ("positions ", W, 2.0, m, (2, 4, 2, 2)),
    ):
        case(
            "focal",
            lab + tr,
            [(1, sh)],
            f'focal_loss(&x[0], &Tensor::new({tg}), &FocalLoss {{ {wr if w is not None else ""}gamma: {gm}, reduction: Reduction::{rr}, ..Default::default() }})',
            lambda x: fl(x, I(tg), w, gm, -100),
        )

    def dl(x, y, s, sqd, b):
        d = (2, 3) + ((0,) if b else ())
        n = (x * y).sum(d) * 2 + s
        q = ((x * x).sum(d) + (y * y).sum(d) if sqd else x.sum(d) + y.sum(d)) + s
        return red(1 - n / q)

    for lab, s, sqd, b in (("", 1.0, False, False), ("squared ", 0.5, True, False), ("batch ", 0.5, False, True)):
        case(
            "dice",
            lab + tr,
            [(1, (2, 3, 2, 2), 0.0, 1.0), (2, (2, 3, 2, 2), 0.0, 1.0)],
            f"dice_loss(&x[0], &x[1], &DiceLoss {{ smooth: {s}, squared: {str(sqd).lower()}, batch: {str(b).lower()}, reduction: Reduction::{rr} }})",
            lambda x, y: dl(x, y, s, sqd, b),
        )


# CTC
def ctc(label, shape, targets, il, tl, rf, kw):
    v = lambda t: f"Tensor::new({t})"
    case(
        "ctc",
        label,
        [(1, shape)],
        f"ctc_loss(&x[0].log_softmax(-1)?, &{v(targets)}, &{v(il)}, &{v(tl)}, &CTCLoss {{ {rf}..Default::default() }})",
        lambda x: F.ctc_loss(x.log_softmax(-1), I(targets), I(il), I(tl), **kw),
    )


for rr, tr in R:
    ctc(
        tr,
        (5, 3, 4),
        [[1, 1, 2], [3, 3, 3], [3, 3, 3]],
        [5, 3, 4],
        [3, 1, 0],
        f"reduction: Reduction::{rr}, ",
        {"reduction": tr},
    )
ctc("labels one after the other", (6, 3, 4), [3, 3, 1, 0], [6, 4, 2], [2, 1, 1], "blank: 2, ", {"blank": 2})
for rr, tr in R:
    ctc(
        "zero_infinity " + tr,
        (5, 3, 4),
        [[1, 1], [2, 3], [3, 3]],
        [5, 5, 2],
        [2, 2, 2],
        f"zero_infinity: true, reduction: Reduction::{rr}, ",
        {"zero_infinity": True, "reduction": tr},
    )
ctc("one sequence", (6, 3), [2, 1, 1], 6, 3, "", {})

files = {
    "errors": ["mse", "l1", "smooth_l1", "huber", "gaussian_nll", "poisson_nll"],
    "margins": ["hinge_embedding", "margin_ranking", "soft_margin", "hinge"],
    "binary": ["bce_with_logits", "kl_div", "binary_focal", "multilabel_soft_margin"],
    "classes": ["nll", "focal", "multi_margin", "multilabel_margin"],
    "vectors": ["cosine_embedding", "triplet_margin", "dice", "ctc"],
}
docs = {
    "errors": "Losses of errors, and likelihoods of numbers.",
    "margins": "Losses with a margin, of single elements.",
    "binary": "Losses of probabilities, of single elements.",
    "classes": "Losses of classes.",
    "vectors": "Losses of vectors, regions and sequences.",
}
names = {"bce_with_logits": "binary_cross_entropy_of_logits", "kl_div": "kullback_leibler"}
here = pathlib.Path(__file__).parent
for f, gs in files.items():
    out = f"//! {docs[f]}\n\nuse super::*;\n"
    if f == "vectors":
        out = out.replace("use super", "use std::sync::Arc;\n\nuse super")
    for g in gs:
        out += f"\n#[test]\nfn {names.get(g,g)}() {{\n"
        for (args, head, T), cs in groups.pop(g).items():
            if len(cs) > 1:
                out += f"    let case = |label, options: {T}, want: &[f64]| {{ check(label, &[{args}], |x| {head}, &options), want) }};\n"
                for label, o, w in cs:
                    out += f'    case("{label}", {o}, &[{w}]);\n'
            else:
                label, o, w = cs[0]
                out += f'    check("{label}", &[{args}], |x| {head}, &{o}), &[{w}]);\n'
        out += "}\n"
    (here / (f + ".rs")).write_text(out)
assert not groups, groups.keys()
