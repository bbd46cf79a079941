"""PyTorch's side of `main.rs`: the same images, order and batches through torch.utils.data.DataLoader.

    python pytorch.py [--threads N] [--workers N] [--epochs N]
"""

import argparse
import json
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int)
parser.add_argument("--workers", type=int, default=0)
parser.add_argument("--epochs", type=int, default=5)
options = parser.parse_args()
if options.threads:
    torch.set_num_threads(options.threads)

IMAGES, PIXELS, BATCH = 60_000, 28 * 28, 64
places = np.arange(IMAGES * PIXELS, dtype=np.uint32)
pixels = ((places * np.uint32(2_654_435_761)) >> np.uint32(8)).astype(np.float32) / np.float32(16_777_216)
dataset = TensorDataset(torch.from_numpy(pixels.reshape(IMAGES, 1, 28, 28)), torch.arange(IMAGES))

torch.manual_seed(0)
loader = DataLoader(dataset, batch_size=BATCH, shuffle=True, num_workers=options.workers)
place, labels, middle = 0, 0.0, 0.0
for x, y in loader:
    at = torch.arange(place, place + len(y))
    labels += float((y * (at % 1009)).sum())
    middle += float(x.reshape(len(y), PIXELS)[at % 2 == 0, PIXELS // 2].double().sum())
    place += len(y)
times = []
for _ in range(options.epochs):
    start = time.perf_counter()
    batches = sum(1 for _ in loader)
    times.append(round((time.perf_counter() - start) * 1e3, 3))
    assert batches == -(-IMAGES // BATCH)
row = {"engine": "torch", "threads": torch.get_num_threads(), "workers": options.workers}
print(json.dumps({**row, "epochs_ms": times, "digest": [labels, middle]}))
