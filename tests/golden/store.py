"""Reading and writing directories of cases; see README.md. Needs Python 3.9 and nothing else."""

import gzip
import json
import pathlib
import struct

SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "BOOL": 1}


def read(path):
    """The bytes of a file, or of its compressed form; None where there is neither."""
    path = pathlib.Path(path)
    packed = path.with_name(path.name + ".gz")
    if path.exists():
        return path.read_bytes()
    return gzip.decompress(packed.read_bytes()) if packed.exists() else None


def write(path, data):
    """Writes a compressed file, the same bytes for the same data."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(data, 9, mtime=0))


def read_cases(directory, family):
    """The cases of a family."""
    text = read(pathlib.Path(directory) / f"{family}.jsonl")
    return [json.loads(line) for line in text.decode().splitlines()] if text else []


def write_cases(directory, family, cases):
    lines = [json.dumps(case, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for case in cases]
    write(pathlib.Path(directory) / f"{family}.jsonl", ("\n".join(lines) + "\n").encode())


def read_tensors(path):
    """The tensors of a safetensors file: key -> (dtype, shape, bytes)."""
    data = read(path)
    if data is None:
        return {}
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    return {
        key: (entry["dtype"], entry["shape"], bytes(body[slice(*entry["data_offsets"])]))
        for key, entry in header.items()
        if key != "__metadata__"
    }


def write_tensors(path, tensors):
    header, offset = {}, 0
    # The widest first, so that every tensor is aligned.
    order = sorted(tensors, key=lambda key: (-SIZES[tensors[key][0]], key))
    for key in order:
        dtype, shape, data = tensors[key]
        header[key] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write(path, struct.pack("<Q", len(text)) + text + b"".join(tensors[key][2] for key in order))
