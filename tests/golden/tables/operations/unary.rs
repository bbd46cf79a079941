//! Functions of one tensor, element by element.

use super::Entry;
use crate::output::give;
use crate::stop::not_built;

pub(crate) const ENTRIES: &[Entry] = &[
    ("abs", |c| give(c.input()?.abs())),
    ("ceil", |c| give(c.input()?.ceil())),
    ("cos", |c| give(c.input()?.cos())),
    ("erf", |c| give(c.input()?.erf())),
    ("exp", |c| give(c.input()?.exp())),
    ("expm1", |c| give(c.input()?.expm1())),
    ("floor", |c| give(c.input()?.floor())),
    ("isfinite", |c| give(c.input()?.isfinite())),
    ("isnan", |c| give(c.input()?.isnan())),
    ("log", |c| give(c.input()?.log())),
    ("log10", |c| give(c.input()?.log10())),
    ("log1p", |c| give(c.input()?.log1p())),
    ("log2", |c| give(c.input()?.log2())),
    ("logical_not", |c| give(c.input()?.logical_not())),
    ("neg", |c| give(c.input()?.neg())),
    ("reciprocal", |c| give(c.input()?.reciprocal())),
    ("round", |c| match c.or("decimals", 0i64)? {
        0 => give(c.input()?.round()),
        _ => not_built("option not built: round decimals"),
    }),
    ("rsqrt", |c| give(c.input()?.rsqrt())),
    ("sigmoid", |c| give(c.input()?.sigmoid())),
    ("sign", |c| give(c.input()?.sign())),
    ("sin", |c| give(c.input()?.sin())),
    ("sqrt", |c| give(c.input()?.sqrt())),
    ("square", |c| give(c.input()?.square())),
    ("tan", |c| give(c.input()?.tan())),
    ("tanh", |c| give(c.input()?.tanh())),
    ("trunc", |c| give(c.input()?.trunc())),
];
