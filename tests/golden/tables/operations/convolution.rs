//! Convolutions.

use chainrule::{Conv1dOptions, Conv2dOptions, ConvTranspose2dOptions};

use super::Entry;
use crate::output::give;
use crate::tables::options::padding;

pub(crate) const ENTRIES: &[Entry] = &[
    ("conv1d", |c| {
        let d = Conv1dOptions::default();
        let options = Conv1dOptions {
            stride: c.or("stride", [d.stride])?[0],
            padding: padding(c, [d.padding])?[0],
            dilation: c.or("dilation", [d.dilation])?[0],
            groups: c.or("groups", d.groups)?,
        };
        give(c.input()?.conv1d(c.get("weight")?, c.optional("bias")?, options))
    }),
    ("conv2d", |c| {
        let d = Conv2dOptions::default();
        let options = Conv2dOptions {
            stride: c.or("stride", d.stride)?,
            padding: padding(c, d.padding)?,
            dilation: c.or("dilation", d.dilation)?,
            groups: c.or("groups", d.groups)?,
        };
        give(c.input()?.conv2d(c.get("weight")?, c.optional("bias")?, options))
    }),
    ("conv_transpose2d", |c| {
        let d = ConvTranspose2dOptions::default();
        let options = ConvTranspose2dOptions {
            stride: c.or("stride", d.stride)?,
            padding: c.or("padding", d.padding)?,
            output_padding: c.or("output_padding", d.output_padding)?,
            dilation: c.or("dilation", d.dilation)?,
            groups: c.or("groups", d.groups)?,
        };
        give(c.input()?.conv_transpose2d(c.get("weight")?, c.optional("bias")?, options))
    }),
];
