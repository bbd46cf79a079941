//! Transforms of tensors.

use std::sync::{Mutex, PoisonError};

use chainrule_kernels::parallel;
use chainrule_tensor::{DType, Result, Shape, Tensor, bail};

use super::{Image, ImageSize, SampleRandom, Transform};
use crate::datasets::check::check_rows;
use crate::loader::in_worker;
use crate::location::at_caller;
use crate::seeds::with_sample;

/// What a transform takes at least for a sample and for a number of it, in nanoseconds.
const NS_PER_SAMPLE: f64 = 2000.0;
const NS_PER_NUMBER: f64 = 1.0;

#[track_caller]
fn image_size(shape: &Shape, rule: &str, dtype: DType) -> Result<ImageSize> {
    let dims = shape.len();
    let is_image = if rule == BATCH { dims == 4 } else { dims == 3 };
    if !is_image || dtype != DType::F32 {
        bail!(Shape, "transform", "{rule} expected, got {dtype} of shape {shape}");
    }
    let (channels, height, width) = (shape[dims - 3], shape[dims - 2], shape[dims - 1]);
    Ok(ImageSize { channels, height, width })
}

const BATCH: &str = "images of float32, [batch, channels, height, width],";
const IMAGE: &str = "an image of float32, [channels, height, width],";

#[track_caller]
pub(super) fn apply_to_image<T: Transform + ?Sized>(
    transform: &T,
    image: &Tensor,
    random: &mut SampleRandom,
) -> Result<Tensor> {
    let size = image_size(image.shape(), IMAGE, image.dtype())?;
    let to = at_caller(transform.output_size(size))?;
    let image = image.detach().contiguous()?;
    let pixels = image.as_slice::<f32>()?;
    let mut written = Ok(());
    let changed = Tensor::build([to.channels, to.height, to.width], |out: &mut [f32]| {
        if !out.is_empty() {
            written = transform.try_write(Image::new(size, pixels), out, random);
        }
    })?;
    at_caller(written.map(|()| changed))
}

/// Each image of a batch, with the random numbers of its seed.
#[track_caller]
pub(crate) fn apply_to_batch(transform: &dyn Transform, images: &Tensor, seeds: &[u64]) -> Result<Tensor> {
    let size = image_size(images.shape(), BATCH, images.dtype())?;
    check_rows("transform", images, seeds.len())?;
    let to = at_caller(transform.output_size(size))?;
    let images = images.detach().contiguous()?;
    let pixels = images.as_slice::<f32>()?;
    let (from_len, to_len) = (size.numel(), to.numel());
    let failed = Mutex::new(None);
    let changed = Tensor::build([seeds.len(), to.channels, to.height, to.width], |out: &mut [f32]| {
        if out.is_empty() {
            return;
        }
        // A loader's workers are the parallelism already.
        let ns = match in_worker() {
            true => 0.0,
            false => seeds.len() as f64 * (NS_PER_SAMPLE + NS_PER_NUMBER * (from_len as f64 + to_len as f64)),
        };
        parallel::chunks_mut(out, to_len, ns, |i, out| {
            let image = Image::new(size, &pixels[i * from_len..][..from_len]);
            let write = || transform.try_write(image, out, &mut SampleRandom::new(seeds[i]));
            if let Err(error) = with_sample(seeds[i], write) {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                // The first image counts, whichever thread is first.
                if failed.as_ref().is_none_or(|&(first, _)| i < first) {
                    *failed = Some((i, error));
                }
            }
        });
    })?;
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => at_caller(Err(error)),
        None => Ok(changed),
    }
}
