//! [`Error`]: what went wrong, in which operation, where in the caller's code and in which module.

use std::fmt;
use std::panic::Location;
use std::path::Path;

/// The result of every fallible function of chainrule.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Shapes or a number of dimensions that do not fit the operation.
    Shape,
    /// An index or a dimension out of range.
    Index,
    /// A value or an option outside what is allowed.
    Value,
    /// A dtype that the operation does not take.
    DType,
    /// A graph that cannot be differentiated: none recorded, already freed, or a gradient missing.
    Graph,
    /// A NaN or an infinity where anomaly detection or a check forbids it.
    NotFinite,
    /// Memory that there is not.
    Memory,
    /// A state dict, checkpoint or data file whose contents do not fit.
    Data,
    /// A failure of the operating system: a file that cannot be read or written.
    Io,
}

/// An error: the operation, the rule that was broken with the offending shapes or values, the caller's file
/// and line, and, inside a model, the path of the module.
pub struct Error(Box<Contents>);

struct Contents {
    kind: ErrorKind,
    operation: String,
    message: String,
    location: Option<&'static Location<'static>>,
    module: Option<String>,
    /// Whether `module` is a whole path, from the model down, and not only the end of one.
    whole_path: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of an operation, with the caller's location. Functions that are `#[track_caller]` pass on
    /// the location of their own caller.
    #[track_caller]
    pub fn new(kind: ErrorKind, operation: impl Into<String>, message: impl Into<String>) -> Self {
        Error(Box::new(Contents {
            kind,
            operation: operation.into(),
            message: message.into(),
            location: Some(Location::caller()),
            module: None,
            whole_path: false,
            source: None,
        }))
    }

    /// An error that happened at another place than where it is found.
    pub(crate) fn at(
        kind: ErrorKind,
        operation: impl Into<String>,
        message: impl Into<String>,
        location: &'static Location<'static>,
    ) -> Self {
        let mut error = Error::new(kind, operation, message);
        error.0.location = Some(location);
        error
    }

    /// A failure of the operating system while doing something to `what` (usually a path).
    #[track_caller]
    pub fn io(operation: impl Into<String>, what: impl fmt::Display, source: std::io::Error) -> Self {
        let mut error = Error::new(ErrorKind::Io, operation, format!("{what}: {source}"));
        error.0.source = Some(Box::new(source));
        error
    }

    /// The kind of rule that was broken.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation or function that refused.
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// The rule and the offending shapes or values.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in the caller's code the operation was called.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.0.location
    }

    /// The path of the module that called the operation, such as `encoder.layers.3.q_proj`.
    pub fn module(&self) -> Option<&str> {
        self.0.module.as_deref()
    }

    /// Names the module by its whole path. Where a module deeper inside has done so already, that stays; where
    /// only the end of the path is known (see [`in_part`](Error::in_part)), the path goes in front of it.
    #[must_use]
    pub fn in_module(self, path: &str) -> Self {
        if path.is_empty() {
            return self;
        }
        let mut error = self.in_part(path);
        error.0.whole_path = true;
        error
    }

    /// Names a part of a module that does not know its own path: one more name in front of what is known of the
    /// path, unless the whole path is known.
    #[must_use]
    pub fn in_part(mut self, name: &str) -> Self {
        if !self.0.whole_path {
            self.0.module = Some(match self.0.module.take() {
                Some(rest) => format!("{name}.{rest}"),
                None => name.to_string(),
            });
        }
        self
    }

    /// The same error, as of the place that this is called from, or that a `#[track_caller]` function is.
    #[track_caller]
    #[must_use]
    pub fn at_caller(mut self) -> Self {
        self.0.location = Some(Location::caller());
        self
    }

    /// As [`at_caller`](Error::at_caller), where the error says that it happened in the library's own source: in a
    /// closure, behind `dyn` or in a backward pass, where the caller's place is lost.
    #[doc(hidden)]
    #[track_caller]
    #[must_use]
    pub fn at_caller_of_library(self) -> Self {
        if self.0.location.is_some_and(|at| is_of_library(Path::new(at.file()))) {
            self.at_caller()
        } else {
            self
        }
    }

    /// Adds what was going on, in front of the message.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }
}

/// Whether a file is one of the library's sources: those of a crate whose folder lies beside that of this crate, and
/// is called like one of the library's, as in the repository (`crates/nn`) or in a registry (`chainrule-nn-0.1.0`).
fn is_of_library(file: &Path) -> bool {
    const FOLDERS: [&str; 7] = ["data", "kernels", "loss", "nn", "optim", "tensor", "train"];
    let crates = Path::new(file!()).ancestors().nth(3);
    let Some(rest) = crates.and_then(|crates| file.strip_prefix(crates).ok()) else { return false };
    let mut parts = rest.iter().filter_map(|part| part.to_str());
    let folder = parts.next().is_some_and(|name| FOLDERS.contains(&name) || name.starts_with("chainrule-"));
    folder && parts.next() == Some("src")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Contents { operation, message, location, module, .. } = &*self.0;
        if let Some(module) = module {
            write!(f, "{module}: ")?;
        }
        write!(f, "{operation}: {message}")?;
        if let Some(at) = location {
            write!(f, " (at {}:{}:{})", at.file(), at.line(), at.column())?;
        }
        Ok(())
    }
}

/// The same as `Display`: this is what `fn main() -> Result<()>` and `unwrap` print.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|s| &**s as _)
    }
}

/// Returns an error from the surrounding function: `bail!(Shape, "matmul", "shapes {a} and {b} …")`.
#[macro_export]
#[doc(hidden)]
macro_rules! bail {
    ($kind:ident, $operation:expr, $($message:tt)+) => {
        return Err($crate::Error::new($crate::ErrorKind::$kind, $operation, format!($($message)+)))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_of_the_library_are_known() {
        let here = Path::new(file!());
        assert!(is_of_library(here));
        let crates = here.ancestors().nth(3).unwrap();
        for (file, ours) in [
            ("nn/src/layers/linear.rs", true),
            ("chainrule-loss-0.1.0/src/lib.rs", true),
            ("nn/tests/layers.rs", false),
            ("theirs/src/lib.rs", false),
        ] {
            assert_eq!(is_of_library(&crates.join(file)), ours, "{file}");
        }
        for file in ["src/main.rs", "tests/autograd/main.rs", "/somewhere/crates/nn/src/lib.rs"] {
            assert!(!is_of_library(Path::new(file)), "{file}");
        }
    }
}
