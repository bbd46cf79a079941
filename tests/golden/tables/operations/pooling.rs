//! Pooling.

use chainrule::{AvgPool2dOptions, MaxPool2dOptions};

use super::Entry;
use crate::call::Call;
use crate::output::give;
use crate::stop::Outcome;
use crate::tables::options::stride;

pub(crate) const ENTRIES: &[Entry] = &[
    ("adaptive_avg_pool2d", |c| give(c.input()?.adaptive_avg_pool2d(c.get::<[usize; 2]>("output_size")?))),
    ("avg_pool2d", |c| {
        let d = AvgPool2dOptions::new(c.get::<[usize; 2]>("kernel_size")?);
        let options = AvgPool2dOptions {
            stride: stride(c)?,
            padding: c.or("padding", d.padding)?,
            ceil_mode: c.or("ceil_mode", d.ceil_mode)?,
            count_include_pad: c.or("count_include_pad", d.count_include_pad)?,
            divisor_override: c.optional("divisor_override")?,
            ..d
        };
        give(c.input()?.avg_pool2d(options))
    }),
    ("max_pool2d", |c| match c.or("return_indices", false)? {
        false => give(c.input()?.max_pool2d(max_pool2d(c)?)),
        true => give(c.input()?.max_pool2d_with_indices(max_pool2d(c)?)),
    }),
    ("max_pool2d_with_indices", |c| {
        // The name says it already.
        c.or("return_indices", true)?;
        give(c.input()?.max_pool2d_with_indices(max_pool2d(c)?))
    }),
];

fn max_pool2d(c: &Call) -> Outcome<MaxPool2dOptions> {
    let d = MaxPool2dOptions::new(c.get::<[usize; 2]>("kernel_size")?);
    Ok(MaxPool2dOptions {
        stride: stride(c)?,
        padding: c.or("padding", d.padding)?,
        dilation: c.or("dilation", d.dilation)?,
        ceil_mode: c.or("ceil_mode", d.ceil_mode)?,
        ..d
    })
}
