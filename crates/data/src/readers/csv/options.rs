//! [`CsvOptions`].

use std::path::Path;

use chainrule_tensor::{Result, bail};

use super::{CsvFile, Failed};

/// How a CSV file is written.
///
/// ```
/// use chainrule_data::CsvOptions;
///
/// # fn main() -> chainrule_tensor::Result<()> {
/// let table = CsvOptions::new().delimiter(b';').headers(false).missing_as_nan(true).parse(b"1.5;\n2;3\n")?;
/// assert!(table.column::<f32>("1")?.to_vec::<f32>()?[0].is_nan());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CsvOptions {
    pub(super) delimiter: u8,
    pub(super) headers: bool,
    pub(super) missing_as_nan: bool,
}

impl CsvOptions {
    /// Commas, names of columns in the first line, and no missing values.
    pub fn new() -> Self {
        CsvOptions { delimiter: b',', headers: true, missing_as_nan: false }
    }

    /// What is between fields, an ASCII character that is neither a quote nor a line break; default `,`.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Whether the first line has the names of the columns; default true. Without names they are called `"0"`, `"1"`
    /// and so on.
    pub fn headers(mut self, headers: bool) -> Self {
        self.headers = headers;
        self
    }

    /// Whether an empty field is a NaN in a column of floats; default false: it is an error. It always is one in
    /// columns of other types.
    pub fn missing_as_nan(mut self, missing_as_nan: bool) -> Self {
        self.missing_as_nan = missing_as_nan;
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Those of [`CsvFile::read`].
    #[track_caller]
    pub fn read(&self, path: impl AsRef<Path>) -> Result<CsvFile> {
        CsvFile::open(path.as_ref(), self)
    }

    /// As [`read`](CsvOptions::read), of the bytes of a file.
    ///
    /// # Errors
    /// Those of [`CsvFile::read`].
    #[track_caller]
    pub fn parse(&self, bytes: &[u8]) -> Result<CsvFile> {
        match CsvFile::from_reader(bytes, self) {
            Ok(table) => Ok(table),
            Err(Failed::Format(rule)) => bail!(Data, "CsvFile", "{rule}"),
            Err(Failed::Io(error)) => bail!(Io, "CsvFile", "{error}"),
        }
    }

    pub(super) fn builder(&self) -> csv::ReaderBuilder {
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(self.delimiter).has_headers(self.headers);
        builder
    }
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions::new()
    }
}
