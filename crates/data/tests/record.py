"""Records what PyTorch and NumPy give, for the tests beside this file: orders of samples, images, array files.

    python record.py

writes to the folder `recorded`. Needs PyTorch and NumPy in this Python.
"""

import io
import json
import pathlib
import warnings
import zipfile

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils import data

here = pathlib.Path(__file__).resolve().parent / "recorded"
warnings.simplefilter("ignore")


class Numbers(data.Dataset):
    """Sample i is i, so that a batch shows its indices."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return i


def epochs(loader, count=2):
    return [[batch.tolist() for batch in loader] for _ in range(count)]


def orders(seed, n):
    """Each entry starts from the seed; `after` shows how much was drawn."""
    numbers = Numbers(n)
    own = lambda: torch.Generator().manual_seed(seed)
    size = max(1, n // 3)
    weights = [(i * 7 % 5 + 1) / 3 for i in range(n)]
    subset = list(range(0, n, 2))
    samplers = {
        "random": lambda g: data.RandomSampler(numbers, generator=g),
        "replacement": lambda g: data.RandomSampler(numbers, replacement=True, num_samples=2 * n + 35, generator=g),
        "longer": lambda g: data.RandomSampler(numbers, num_samples=2 * n + 1, generator=g),
        "weighted": lambda g: data.WeightedRandomSampler(weights, n + 3, generator=g),
        "weighted_once": lambda g: data.WeightedRandomSampler(weights, n, replacement=False, generator=g),
        "subset": lambda g: data.SubsetRandomSampler(subset, generator=g),
    }
    found = {"seed": seed, "n": n}
    for name, sampler in samplers.items():
        torch.manual_seed(seed)
        process_wide = sampler(None)
        found[name] = [list(process_wide), list(process_wide), torch.randint(0, 1000, (2,)).tolist()]
        with_own = sampler(own())
        found[name + "_own"] = [list(with_own), list(with_own)]
    for drop_last in (False, True):
        torch.manual_seed(seed)
        batches = data.BatchSampler(data.RandomSampler(numbers), size, drop_last)
        loader = data.DataLoader(numbers, batch_sampler=batches)
        found[f"batch_sampler_{str(drop_last).lower()}"] = epochs(loader)
        torch.manual_seed(seed)
        loader = data.DataLoader(numbers, batch_size=size, shuffle=True, drop_last=drop_last)
        found[f"loader_{str(drop_last).lower()}"] = epochs(loader)
        loader = data.DataLoader(numbers, batch_size=size, shuffle=True, drop_last=drop_last, generator=own())
        found[f"loader_own_{str(drop_last).lower()}"] = epochs(loader)
    torch.manual_seed(seed)
    found["lengths"] = [list(part.indices) for part in data.random_split(numbers, [n - n // 4, n // 4])]
    for name, fractions in (("fractions", [0.5, 0.3, 0.2]), ("thirds", [1 / 3, 1 / 3, 1 / 3])):
        found[name] = [list(part.indices) for part in data.random_split(numbers, fractions, generator=own())]
    return found


def flat(tensor):
    return {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


def rotate(image, degrees, mode, fill):
    """torchvision's `rotate`, written out: a turn of the grid of pixels about the middle, and a mask for the fill."""
    _, height, width = image.shape
    angle = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    cos, sin = angle.cos(), angle.sin()
    x = torch.arange(width, dtype=torch.float64) + 0.5 - width / 2
    y = torch.arange(height, dtype=torch.float64) + 0.5 - height / 2
    y, x = torch.meshgrid(y, x, indexing="ij")
    grid = torch.stack(((cos * x - sin * y) / (width / 2), (sin * x + cos * y) / (height / 2)), -1)[None]
    both = torch.cat((image.double(), torch.ones(1, height, width, dtype=torch.float64)))[None]
    turned = F.grid_sample(both, grid, mode=mode, padding_mode="zeros", align_corners=False)[0]
    inside = turned[-1:]
    if mode == "nearest":
        return torch.where(inside < 0.5, fill, turned[:-1])
    return turned[:-1] + (1 - inside) * fill


def images():
    torch.manual_seed(3)
    image = torch.rand(2, 7, 10, dtype=torch.float64).float()
    found = {"image": flat(image), "rotations": [], "sizes": []}
    for degrees in (0.0, 90.0, 180.0, 17.0, -33.3, 211.0):
        # A quarter of a turn of 7 × 10 pixels puts pixels right between two, and rounding errors choose.
        for mode in ("bilinear",) if degrees == 90.0 else ("nearest", "bilinear"):
            turned = rotate(image, degrees, mode, 0.25)
            found["rotations"].append({"degrees": degrees, "mode": mode, "image": flat(turned)})
    for size in ((7, 10), (14, 20), (3, 4), (5, 17), (1, 1), (16, 3)):
        scaled = F.interpolate(image[None], size=size, mode="bilinear", antialias=True, align_corners=False)[0]
        found["sizes"].append(flat(scaled))
    return found


def arrays():
    values = np.array([[0, 1, 2], [100, 50, 7]])
    folder = here / "npy"
    folder.mkdir(exist_ok=True)
    for name in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"):
        for order in "<>" if name[1] != "1" else "|":
            for layout in "CF":
                array = np.asarray(values, dtype=order + name, order=layout)
                label = {"<": "little", ">": "big", "|": "one"}[order]
                np.save(folder / f"{name}-{label}-{layout}.npy", array)
    np.save(folder / "scalar.npy", np.float64(2.5))
    np.save(folder / "empty.npy", np.zeros((0, 3), np.float32))
    np.save(folder / "rank5-F.npy", np.asfortranarray(np.arange(48).reshape(2, 1, 3, 2, 4)))
    np.save(folder / "complex.npy", np.zeros(2, np.complex64))
    np.save(folder / "text.npy", np.array(["a", "b"]))
    np.save(folder / "objects.npy", np.array([None, 1], dtype=object))
    np.save(folder / "records.npy", np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
    for version in ((2, 0), (3, 0)):
        with open(folder / f"version{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, values.astype("<f4"), version=version)
    named = {"x": values.astype(np.float32), "y": np.array([True, False]), "a b/ü": np.arange(3)}
    np.savez(folder / "stored.npz", **named)
    np.savez_compressed(folder / "deflated.npz", **named)
    np.savez(folder / "none.npz")
    with zipfile.ZipFile(folder / "commented.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        contents = io.BytesIO()
        np.save(contents, values)
        archive.writestr("z.npy", contents.getvalue())
        archive.comment = b"a comment PK\x05\x06 with what looks like an end"
    with zipfile.ZipFile(folder / "other.npz", "w") as archive:
        archive.writestr("readme.txt", "no array")
    with zipfile.ZipFile(folder / "bzip2.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("z.npy", contents.getvalue())


here.mkdir(exist_ok=True)
recorded = [orders(seed, n) for seed in (0, 1, 7, 42, 12345, 2**40 + 3) for n in (2, 10, 33)]
(here / "orders.json").write_text(json.dumps(recorded, separators=(",", ":")))
(here / "images.json").write_text(json.dumps(images(), separators=(",", ":")))
arrays()
