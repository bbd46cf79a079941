//! Convolutions that change nothing.

use chainrule_tensor::{Parameter, Result, Tensor, bail, dispatch_float};

/// Makes the weight of a convolution, `[C_out, C_in / groups, …]` with one to three dimensions of space, pass as many
/// channels through as it can: in each group of outputs the i-th output is the i-th input. Everything else is 0
/// (PyTorch: `torch.nn.init.dirac_`, default `groups` 1).
///
/// # Errors
/// When there are other than three to five dimensions, or the groups do not divide the first.
#[track_caller]
pub fn dirac_(parameter: &Parameter, groups: usize) -> Result<()> {
    let shape = parameter.shape();
    let &[out_channels, in_channels, ref space @ ..] = &*shape else {
        bail!(Shape, "dirac_", "expects three to five dimensions, not shape {shape}");
    };
    if !(1..=3).contains(&space.len()) {
        bail!(Shape, "dirac_", "expects three to five dimensions, not shape {shape}");
    }
    if groups == 0 || out_channels % groups != 0 {
        bail!(Value, "dirac_", "{groups} groups do not divide the {out_channels} outputs of shape {shape}");
    }
    let group = out_channels / groups;
    let positions: usize = space.iter().product();
    let centre = space.iter().fold(0, |index, size| index * size + size / 2);
    let values = dispatch_float!(parameter.dtype(), T => Tensor::build(&shape, |out: &mut [T]| {
        out.fill(T::from(0u8));
        if positions == 0 {
            return;
        }
        for output in 0..out_channels {
            let input = output % group;
            if input < in_channels {
                out[(output * in_channels + input) * positions + centre] = T::from(1u8);
            }
        }
    })?);
    parameter.set(&values)
}
