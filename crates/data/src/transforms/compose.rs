//! [`Compose`].

use std::sync::Arc;

use chainrule_tensor::Result;

use super::scratch::with_scratch;
use super::{Image, ImageSize, SampleRandom, Transform};
use crate::location::at_caller;

/// Several transforms, one after the other (torchvision: `Compose`). They take their random numbers in this order
/// from the sample's generator.
#[derive(Clone, Default)]
pub struct Compose {
    steps: Vec<Arc<dyn Transform>>,
}

impl Compose {
    /// No change.
    pub fn new() -> Self {
        Compose::default()
    }

    /// Another transform at the end.
    pub fn then(mut self, transform: impl Transform + 'static) -> Self {
        self.steps.push(Arc::new(transform));
        self
    }
}

impl Transform for Compose {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        let mut size = input;
        for step in &self.steps {
            size = at_caller(step.output_size(size))?;
        }
        Ok(size)
    }

    /// # Panics
    /// Where [`try_write`](Transform::try_write) fails.
    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        self.try_write(image, out, random).unwrap_or_else(|error| panic!("{error}"));
    }

    fn try_write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) -> Result<()> {
        write(&self.steps, image, out, random)
    }
}

fn write(
    steps: &[Arc<dyn Transform>],
    image: Image<'_>,
    out: &mut [f32],
    random: &mut SampleRandom,
) -> Result<()> {
    match steps {
        [] => {
            out.copy_from_slice(image.pixels());
            Ok(())
        }
        [last] => last.try_write(image, out, random),
        [first, rest @ ..] => {
            let size = first.output_size(image.size())?;
            with_scratch("Compose", size.numel(), |between| {
                first.try_write(image, between, random)?;
                write(rest, Image::new(size, between), out, random)
            })
        }
    }
}

impl std::fmt::Debug for Compose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compose of {} transforms", self.steps.len())
    }
}
