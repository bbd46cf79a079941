#!/usr/bin/env python3
"""Records cases of operations from an installed PyTorch, beside those that are there.

    python3 tests/golden/record.py abs nn.functional.conv2d [--cases N] [--dtypes f32 f64 i64 bool] [--directory DIR]

The samples are those of PyTorch's own tests (`op_db`), the names those of its entries; what is called is the public
function of that name. Cases that this program recorded for the operation before are replaced.
"""

import argparse
import inspect
import math
import pathlib

import torch
from torch.testing._internal.common_methods_invocations import op_db

import store

OWN = pathlib.Path(__file__).parent / "cases"
SHORT = {torch.float32: "f32", torch.float64: "f64", torch.int64: "i64", torch.bool: "bool"}
STORED = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.int32: "I32", torch.bool: "BOOL"}
LARGEST = 4096


class Skip(Exception):
    """A sample that cannot be written down, and why."""


def public_function(name):
    """The function that users call, and its full name."""
    spaces = [("torch", torch), ("torch.Tensor", torch.Tensor)]
    for path, space in spaces:
        function = space
        for part in name.split("."):
            function = getattr(function, part, None)
        if function is not None:
            return f"{path}.{name}", function
    raise SystemExit(f"there is no torch.{name}")


def parameter_names(name, function, args, kwargs):
    """The names of the positional arguments; what schemas call `self` is `input`."""
    try:
        names = [p.name for p in inspect.signature(function).parameters.values()]
        if "args" in names or "kwargs" in names:
            raise ValueError
        candidates = [([(name, None) for name in names], names)]
    except (TypeError, ValueError):
        schemas = []
        for spelling in {name.split(".")[-1], name.replace(".", "_")}:
            schemas += torch._C._jit_get_schemas_for_operator("aten::" + spelling)
        candidates = []
        for parameters in [schema.arguments for schema in schemas]:
            positional = [(p.name, "Tensor" in str(p.type)) for p in parameters if not p.kwarg_only]
            candidates.append((positional, [p.name for p in parameters]))
    for positional, all_names in candidates:
        if len(positional) < len(args) or not set(kwargs) <= set(all_names):
            continue
        if all(arg is None or is_tensor in (None, has_tensors(arg)) for arg, (_, is_tensor) in zip(args, positional)):
            return ["input" if name == "self" else name for name, _ in positional[: len(args)]]
    raise Skip("the names of its parameters are not known")


def has_tensors(value):
    if isinstance(value, (list, tuple)):
        return any(map(has_tensors, value))
    return isinstance(value, torch.Tensor)


class Recorder:
    """Writes values down, and keeps the tensors."""

    def __init__(self, case_id):
        self.id = case_id
        self.tensors = {}
        self.leaves = {}

    def keep(self, name, tensor):
        tensor = tensor.detach()
        if tensor.dtype not in STORED or tensor.layout != torch.strided:
            raise Skip(f"a tensor of {tensor.dtype}, {tensor.layout}")
        if tensor.numel() > LARGEST:
            raise Skip("a large tensor")
        data = tensor.contiguous().clone().numpy().tobytes()
        self.tensors[f"{self.id}/{name}"] = (STORED[tensor.dtype], list(tensor.shape), data)

    def encode(self, value, name):
        if isinstance(value, torch.Tensor):
            for known, leaf in self.leaves.items():
                if leaf is value:
                    name = known
            self.leaves[name] = value
            self.keep(name, value)
            encoded = {"tensor": name}
            if value.requires_grad:
                encoded["grad"] = True
            if not value.is_contiguous():
                encoded["strides"] = list(value.stride())
            return encoded
        if isinstance(value, bool) or isinstance(value, int) or isinstance(value, float):
            kind = type(value).__name__
            finite = not isinstance(value, float) or math.isfinite(value)
            return {"scalar": value if finite else repr(value), "kind": kind}
        if value is None:
            return {"none": True}
        if isinstance(value, str):
            return {"str": value}
        if isinstance(value, torch.dtype):
            return {"dtype": str(value).removeprefix("torch.")}
        if isinstance(value, torch.memory_format):
            return {"memory_format": str(value).removeprefix("torch.")}
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop, value.step]}
        if value is Ellipsis:
            return {"ellipsis": True}
        if isinstance(value, (list, tuple)):
            kinds = {type(item) for item in value}
            if kinds == {int}:
                return {"ints": list(value)}
            if kinds == {float} and all(map(math.isfinite, value)):
                return {"floats": list(value)}
            tag = "list" if isinstance(value, list) else "tuple"
            return {tag: [self.encode(item, f"{name}.{i}") for i, item in enumerate(value)]}
        raise Skip(f"an argument of type {type(value).__name__}")


def flatten(output):
    """The tree of an output, and its tensors by name."""
    tensors = {}

    def walk(value):
        if isinstance(value, torch.Tensor):
            name = f"o{len(tensors)}"
            tensors[name] = value
            return {"tensor": name}
        if isinstance(value, (list, tuple)):
            return {"list" if isinstance(value, list) else "tuple": [walk(item) for item in value]}
        if isinstance(value, (bool, int, float)):
            return {"scalar": value, "kind": type(value).__name__}
        raise Skip(f"a result of type {type(value).__name__}")

    return walk(output), tensors


def differentiate(outputs, cotangents, leaves, **options):
    names = [name for name, output in outputs.items() if name in cotangents and output.requires_grad]
    if not names or not leaves:
        return {}
    found = torch.autograd.grad(
        [outputs[n] for n in names], list(leaves.values()), [cotangents[n] for n in names], allow_unused=True, **options
    )
    return dict(zip(leaves, found))


def map_tensors(value, change):
    """The value with its tensors and dtypes changed."""
    if isinstance(value, (list, tuple)):
        return type(value)(map_tensors(item, change) for item in value)
    if isinstance(value, dict):
        return {key: map_tensors(item, change) for key, item in value.items()}
    return change(value)


def in_double(args, kwargs):
    """The same call in double precision; one tensor stays one tensor."""
    known = {}

    def change(value):
        if value is torch.float32:
            return torch.float64
        if not isinstance(value, torch.Tensor):
            return value
        if id(value) not in known:
            wide = value.detach().double() if value.dtype == torch.float32 else value.detach().clone()
            known[id(value)] = wide.requires_grad_(value.requires_grad)
        return known[id(value)]

    return map_tensors(args, change), map_tensors(kwargs, change), known


def errors(results, truths):
    """Which results have a truth of their own, which have none, and the largest error."""
    exact, unknown, largest = [], [], 0.0
    for name, result in results.items():
        truth = truths.get(name)
        if result.dtype != torch.float32:
            continue
        narrow = None if truth is None else truth.float()
        if truth is None or truth.shape != result.shape or not torch.equal(narrow.isfinite(), result.isfinite()):
            unknown.append(name)
        elif not torch.equal(truth.nan_to_num(), result.double().nan_to_num()):
            exact.append(name)
            error = (result.double() - truth).abs() / (1e-5 + 1.3e-6 * truth.abs())
            largest = max(largest, error[truth.isfinite()].max().item() if truth.isfinite().any() else 0.0)
    return exact, unknown, float(f"{largest:.2e}")


def record(op, dtype, number, sample, generator):
    """The case of a sample, and its tensors."""
    short = op.name.replace("nn.functional.", "F.") + (f"-{op.variant_test_name}" if op.variant_test_name else "")
    recorder = Recorder(f"R.{short}.{SHORT[dtype]}.{number}")
    path, function = public_function(op.name)
    args, kwargs = [sample.input, *sample.args], sample.kwargs
    case = {"id": recorder.id, "op": op.name, "fn": path, "dtype": str(dtype).removeprefix("torch."), "src": "sample"}
    if op.variant_test_name:
        case["variant"] = op.variant_test_name
    case["args"] = [recorder.encode(value, f"a{i}") for i, value in enumerate(args)]
    case["names"] = parameter_names(op.name, function, args, kwargs)
    case["kwargs"] = {name: recorder.encode(value, f"k.{name}") for name, value in kwargs.items()}
    before = {name: leaf.detach().clone() for name, leaf in recorder.leaves.items()}
    wide_args, wide_kwargs, wide = in_double(args, kwargs)
    case["out"], outputs = flatten(function(*args, **kwargs))
    changed = {n: leaf for n, leaf in recorder.leaves.items() if not torch.equal(leaf.detach(), before[n])}
    case["mut"] = list(changed)
    results = {**outputs, **{f"m.{name}": leaf for name, leaf in changed.items()}}
    leaves = {name: leaf for name, leaf in recorder.leaves.items() if leaf.requires_grad}
    draw = lambda like: torch.randn(like.shape, dtype=torch.float64, generator=generator).to(like.dtype)
    cotangents = {n: draw(o).requires_grad_() for n, o in outputs.items() if o.requires_grad}
    gradients = differentiate(outputs, cotangents, leaves, create_graph=True)
    case["cot"] = list(cotangents)
    case["grads"] = [name for name, gradient in gradients.items() if gradient is not None]
    case["nograd"] = [name for name, gradient in gradients.items() if gradient is None]
    gradients = {f"g.{name}": gradients[name] for name in case["grads"]}
    recorded = {**results, **gradients, **{f"c.{n}": c for n, c in cotangents.items()}}
    if dtype == torch.float64 and op.supports_gradgrad:
        second = second_order(case, gradients, leaves, cotangents, draw)
        recorded.update(second)
    if dtype == torch.float32:
        recorded.update(truths(case, results, gradients, function(*wide_args, **wide_kwargs), recorder, wide, cotangents))
    for name, tensor in recorded.items():
        recorder.keep(name, tensor)
    return {key: value for key, value in case.items() if value not in ([], {}) or key == "ref"}, recorder.tensors


def second_order(case, gradients, leaves, cotangents, draw):
    """Gradients of Σ g · v with respect to inputs and cotangents."""
    vectors = {name: draw(gradient) for name, gradient in gradients.items()}
    names = [name for name, gradient in gradients.items() if gradient.requires_grad]
    if not names:
        return {}
    targets = {**{f"gg.{n}": t for n, t in leaves.items()}, **{f"ggc.{n}": t for n, t in cotangents.items()}}
    found = differentiate({n: gradients[n] for n in names}, vectors, targets)
    found = {name: tensor for name, tensor in found.items() if tensor is not None}
    case["gg"] = {
        "v": [name.removeprefix("g.") for name in names],
        "in": [name.removeprefix("gg.") for name in found if name.startswith("gg.")],
        "cot": [name.removeprefix("ggc.") for name in found if name.startswith("ggc.")],
    }
    return {**found, **{f"v.{name.removeprefix('g.')}": vectors[name] for name in names}}


def truths(case, results, gradients, wide_output, recorder, wide, cotangents):
    """What single precision should have given, computed in double; notes PyTorch's own errors."""
    _, outputs = flatten(wide_output)
    leaves = {name: wide[id(leaf)] for name, leaf in recorder.leaves.items()}
    true_results = {**outputs, **{f"m.{name}": leaf for name, leaf in leaves.items()}}
    trained = {name: leaves[name] for name in case["grads"]}
    wide_cotangents = {name: cotangent.detach().double() for name, cotangent in cotangents.items()}
    found = differentiate(outputs, wide_cotangents, trained)
    true_gradients = {f"g.{name}": gradient for name, gradient in found.items() if gradient is not None}
    truth = {**true_results, **true_gradients}
    exact, unknown, case["te"] = errors({n: r.detach() for n, r in results.items()}, true_results)
    more_exact, more_unknown, case["tge"] = errors({n: g.detach() for n, g in gradients.items()}, true_gradients)
    case["ref"], case["noref"] = exact + more_exact, unknown + more_unknown
    return {f"r.{name}": truth[name] for name in case["ref"]}


def spread(items, count):
    return items if len(items) <= count else [items[i * len(items) // count] for i in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operations", nargs="+", help="names of op_db")
    parser.add_argument("--cases", type=int, default=8)
    parser.add_argument("--dtypes", nargs="+", choices=SHORT.values(), default=["f32", "f64"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--directory", type=pathlib.Path, default=OWN)
    arguments = parser.parse_args()
    cases = store.read_cases(arguments.directory, "ops")
    for name in arguments.operations:
        entries = [op for op in op_db if op.name == name]
        if not entries:
            raise SystemExit(f"PyTorch's op_db has no {name}")
        file = next((case["file"] for case in cases if case["op"] == name), "ops_recorded.safetensors")
        tensors = store.read_tensors(arguments.directory / file)
        old = {case["id"] for case in cases if case["op"] == name and case["id"].startswith("R.")}
        cases = [case for case in cases if case["id"] not in old]
        tensors = {key: value for key, value in tensors.items() if key.split("/")[0] not in old}
        for op in entries:
            for dtype in [d for d in SHORT if SHORT[d] in arguments.dtypes and d in op.supported_dtypes("cpu")]:
                torch.manual_seed(arguments.seed)
                generator = torch.Generator().manual_seed(arguments.seed)
                tracked = op.supports_autograd and dtype.is_floating_point
                samples = list(op.sample_inputs("cpu", dtype, requires_grad=tracked))
                for number, sample in enumerate(spread(samples, arguments.cases)):
                    try:
                        case, content = record(op, dtype, number, sample, generator)
                    except (Skip, RuntimeError, TypeError) as why:
                        print(f"passed over {op.formatted_name} {SHORT[dtype]} {number}: {str(why).splitlines()[0]}")
                        continue
                    case["file"] = file
                    cases.append(case)
                    tensors.update(content)
        store.write_tensors(arguments.directory / file, tensors)
        print(f"{name}: {sum(case['op'] == name for case in cases)} cases")
    store.write_cases(arguments.directory, "ops", cases)


if __name__ == "__main__":
    main()
