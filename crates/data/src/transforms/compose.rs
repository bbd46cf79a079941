//! [`Compose`].

use std::sync::Arc;

use chainrule_tensor::Result;

use super::scratch::with_scratch;
use super::{Image, ImageSize, SampleRandom, Transform};

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
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        self.steps.iter().try_fold(input, |size, step| step.output_size(size))
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        write(&self.steps, image, out, random);
    }
}

fn write(steps: &[Arc<dyn Transform>], image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
    match steps {
        [] => out.copy_from_slice(image.pixels()),
        [last] => last.write(image, out, random),
        [first, rest @ ..] => {
            let size = first.output_size(image.size()).expect("the sizes were asked for before");
            with_scratch(size.numel(), |between| {
                first.write(image, between, random);
                write(rest, Image::new(size, between), out, random);
            });
        }
    }
}

impl std::fmt::Debug for Compose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compose of {} transforms", self.steps.len())
    }
}
