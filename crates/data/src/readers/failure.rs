//! [`Failure`]: what is wrong with a file; which one, is known one level up.

use std::fmt::Display;

use chainrule_tensor::{Error, ErrorKind};

pub(crate) enum Failure {
    /// The contents break a rule.
    Format(String),
    /// The system cannot read on.
    Io(std::io::Error),
    /// The contents cannot become a tensor.
    Tensor(Error),
}

impl Failure {
    /// The error of an operation on a file, or on bytes that have no name.
    #[track_caller]
    pub(crate) fn into_error(self, operation: &str, file: Option<&dyn Display>) -> Error {
        let named = |rule: String| match file {
            Some(file) => format!("{file}: {rule}"),
            None => rule,
        };
        match self {
            Failure::Format(rule) => Error::new(ErrorKind::Data, operation, named(rule)),
            Failure::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Error::new(ErrorKind::Data, operation, named("truncated".into()))
            }
            Failure::Io(error) => match file {
                Some(file) => Error::io(operation, file, error),
                None => Error::io(operation, "reading", error),
            },
            Failure::Tensor(error) => match file {
                Some(file) => error.context(file).at_caller(),
                None => error.at_caller(),
            },
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Io(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Tensor(error)
    }
}
