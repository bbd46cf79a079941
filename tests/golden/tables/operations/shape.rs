//! Views, joining and splitting.

use chainrule::{PadMode, Tensor};

use super::Entry;
use crate::call::Call;
use crate::output::give;
use crate::stop::{Outcome, Stop, not_built};
use crate::value::Value;

pub(crate) const ENTRIES: &[Entry] = &[
    ("broadcast_to", |c| give(c.input()?.expand(sizes(c, "size")?))),
    ("cat", |c| give(Tensor::cat(&c.get::<Vec<&Tensor>>("tensors")?, c.or("dim", 0)?))),
    ("chunk", |c| give(c.input()?.chunk(c.get("chunks")?, c.or("dim", 0)?))),
    ("constant_pad_nd", |c| {
        give(c.input()?.pad(c.get::<Vec<isize>>("pad")?, PadMode::Constant(c.or("value", 0.0)?)))
    }),
    ("contiguous", |c| give(c.input()?.contiguous())),
    ("diagonal", |c| give(c.input()?.diagonal(c.or("offset", 0)?, c.or("dim1", 0)?, c.or("dim2", 1)?))),
    ("expand", |c| give(c.input()?.expand(sizes(c, "size")?))),
    ("expand_as", |c| give(c.input()?.expand(c.get::<&Tensor>("other")?.shape()))),
    ("flatten", |c| give(c.input()?.flatten(c.or("start_dim", 0)?, c.or("end_dim", -1)?))),
    ("flip", |c| give(c.input()?.flip(sizes(c, "dims")?))),
    ("mT.__get__", |c| give(c.input()?.transpose(-2, -1))),
    ("movedim", |c| give(c.input()?.movedim(sizes(c, "source")?, sizes(c, "destination")?))),
    ("narrow", |c| give(c.input()?.narrow(c.get("dim")?, c.get("start")?, c.get("length")?))),
    ("ops.aten.slice.Tensor", |c| match c.or("step", 1i64)? {
        1 => {
            let (start, end) = (c.or("start", 0isize)?, c.or("end", isize::MAX)?);
            give(c.input()?.slice(c.or("dim", 0)?, start..end))
        }
        _ => not_built("option not built: slice step"),
    }),
    ("nn.functional.pad", |c| give(c.input()?.pad(c.get::<Vec<isize>>("pad")?, pad_mode(c)?))),
    ("permute", |c| give(c.input()?.permute(sizes(c, "dims")?))),
    ("repeat", |c| give(c.input()?.repeat(c.get::<Vec<usize>>("repeats")?))),
    ("reshape", |c| give(c.input()?.reshape(sizes(c, "shape")?))),
    ("reshape_as", |c| give(c.input()?.reshape(c.get::<&Tensor>("other")?.shape()))),
    ("roll", |c| give(c.input()?.roll(sizes(c, "shifts")?, c.or("dims", Vec::<isize>::new())?))),
    ("select", |c| give(c.input()?.select(c.get("dim")?, c.get("index")?))),
    ("split", |c| {
        let (x, dim) = (c.get::<&Tensor>("tensor")?, c.or("dim", 0)?);
        match c.value("split_size_or_sections") {
            Some(Value::Sequence(_)) => {
                give(x.split_with_sizes(&c.get::<Vec<usize>>("split_size_or_sections")?, dim))
            }
            _ => give(x.split(c.get("split_size_or_sections")?, dim)),
        }
    }),
    ("split_with_sizes", |c| {
        give(c.input()?.split_with_sizes(&c.get::<Vec<usize>>("split_sizes")?, c.or("dim", 0)?))
    }),
    ("squeeze", |c| match c.has("dim") {
        true => give(c.input()?.squeeze_dim(sizes(c, "dim")?)),
        false => give(c.input()?.squeeze()),
    }),
    ("stack", |c| give(Tensor::stack(&c.get::<Vec<&Tensor>>("tensors")?, c.or("dim", 0)?))),
    ("t", |c| give(c.input()?.t())),
    ("transpose", |c| give(c.input()?.transpose(c.get("dim0")?, c.get("dim1")?))),
    ("tril", |c| give(c.input()?.tril(c.or("diagonal", 0)?))),
    ("triu", |c| give(c.input()?.triu(c.or("diagonal", 0)?))),
    ("unbind", |c| give(c.input()?.unbind(c.or("dim", 0)?))),
    ("unsqueeze", |c| give(c.input()?.unsqueeze(c.get("dim")?))),
];

fn sizes(c: &Call, name: &str) -> Outcome<Vec<isize>> {
    c.get(name)
}

fn pad_mode(c: &Call) -> Outcome<PadMode> {
    match c.or("mode", "constant")? {
        "constant" => Ok(PadMode::Constant(c.or("value", 0.0)?)),
        "reflect" => Ok(PadMode::Reflect),
        "replicate" => Ok(PadMode::Replicate),
        "circular" => Ok(PadMode::Circular),
        other => Err(Stop::Inexpressible(format!("mode is {other:?}"))),
    }
}
