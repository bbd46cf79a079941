//! [`RandomSource`]: where a loader or a sampler takes its random numbers from.

use std::sync::{Mutex, PoisonError};

use chainrule_tensor::random::{Generator, GeneratorState, with_default};
use chainrule_tensor::{Error, ErrorKind, Result};

use crate::allocate::try_filled;

/// The process-wide generator, or one of one's own.
#[derive(Debug, Default)]
pub(crate) enum RandomSource {
    #[default]
    Default,
    Own(Box<Mutex<Generator>>),
}

impl RandomSource {
    pub(crate) fn own(generator: Generator) -> Self {
        RandomSource::Own(Box::new(Mutex::new(generator)))
    }

    pub(crate) fn with<R>(&self, draw: impl FnOnce(&mut Generator) -> R) -> R {
        match self {
            RandomSource::Default => with_default(draw),
            // A panic in the middle of drawing leaves a usable generator.
            RandomSource::Own(generator) => {
                draw(&mut generator.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// The numbers `0..n` in random order, as `Generator::permutation` draws it.
    #[track_caller]
    pub(crate) fn permutation(&self, operation: &str, n: usize) -> Result<Vec<usize>> {
        let mut memory = try_filled(operation, n, 0)?;
        self.with(|generator| generator.permute(&mut memory));
        Ok(to_indices(memory))
    }

    /// The state of a generator of one's own.
    pub(crate) fn state(&self) -> Option<GeneratorState> {
        match self {
            RandomSource::Default => None,
            own => Some(own.with(|generator| generator.state())),
        }
    }

    /// Goes back to what `state` gave.
    #[track_caller]
    pub(crate) fn set_state(&self, operation: &str, state: Option<&GeneratorState>) -> Result<()> {
        let restored = match (self, state) {
            (RandomSource::Default, None) => Ok(()),
            (RandomSource::Own(_), Some(state)) => self.with(|generator| generator.set_state(state)),
            (RandomSource::Default, Some(_)) => {
                Err("the state has a generator, but the process-wide one is used here".into())
            }
            (RandomSource::Own(_), None) => {
                Err("there is a generator of its own here, but the state has none".into())
            }
        };
        match restored {
            Ok(()) => Ok(()),
            Err(message) => Err(Error::new(ErrorKind::Data, operation, message)),
        }
    }
}

/// Numbers that were drawn from `0..n`, in the same memory.
pub(crate) fn to_indices(drawn: Vec<i64>) -> Vec<usize> {
    drawn.into_iter().map(|i| i as usize).collect()
}
