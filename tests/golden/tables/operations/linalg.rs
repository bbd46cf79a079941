//! Products.

use super::Entry;
use crate::output::give;

pub(crate) const ENTRIES: &[Entry] = &[
    ("linear", |c| give(c.input()?.linear(c.get("weight")?, c.optional("bias")?))),
    ("matmul", |c| give(c.input()?.matmul(c.get("other")?))),
];
