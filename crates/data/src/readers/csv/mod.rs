//! [`CsvFile`]: tables as text.

mod lines;
mod options;
mod value;

use std::fmt::Display;
use std::io::Read;
use std::path::Path;

use chainrule_tensor::{Error, Result, Tensor, bail};

use lines::Lines;
pub use options::CsvOptions;
pub use value::CsvValue;

use super::source::open;
use crate::allocate::try_vec;

/// A table from a CSV file (RFC 4180), whose columns become tensors by their names.
///
/// ```
/// use chainrule_data::{CsvFile, TensorDataset};
///
/// # fn main() -> chainrule_tensor::Result<()> {
/// let table = CsvFile::parse(b"width,height,species\n1.5,2,tulip\n0.5,3,rose\n2.5,1,tulip\n")?;
/// let features = table.columns::<f32>(&["height", "width"])?;
/// assert_eq!(features.to_vec::<f32>()?, [2.0, 1.5, 3.0, 0.5, 1.0, 2.5]);
/// let (labels, species) = table.classes("species")?;
/// assert_eq!(labels.to_vec::<i64>()?, [1, 0, 1]);
/// assert_eq!(species, ["rose", "tulip"]);
/// let dataset = TensorDataset::new((features, labels))?;
///
/// let error = table.column::<i64>("width").unwrap_err();
/// assert!(error.message().contains("line 2, column \"width\": \"1.5\" is not an integer"));
/// # Ok(())
/// # }
/// ```
///
/// Blank lines are left out where there are several columns. In a table of one column a blank line is a row whose value
/// is missing; the line break that ends the last row begins no other.
///
/// The whole table is kept as text; drop it when the tensors are made. [`CsvOptions`] has other delimiters, files
/// without names of columns, and missing values.
#[derive(Clone, Debug)]
pub struct CsvFile {
    /// What errors call the file.
    name: Option<String>,
    columns: Vec<String>,
    records: Vec<csv::StringRecord>,
    /// The line in which each record begins.
    lines: Vec<u64>,
    missing_as_nan: bool,
}

impl CsvFile {
    /// Reads a file with the default options: commas, and the names of the columns in the first line.
    ///
    /// # Errors
    /// When the file cannot be read, is empty or not UTF-8, a line has more or fewer fields than the first, a quote is
    /// never closed, or two columns have the same name. The message names the path and the line.
    #[track_caller]
    pub fn read(path: impl AsRef<Path>) -> Result<CsvFile> {
        CsvOptions::new().read(path)
    }

    /// As [`read`](CsvFile::read), of the bytes of a file.
    ///
    /// # Errors
    /// Those of [`read`](CsvFile::read).
    #[track_caller]
    pub fn parse(bytes: &[u8]) -> Result<CsvFile> {
        CsvOptions::new().parse(bytes)
    }

    #[track_caller]
    fn open(path: &Path, options: &CsvOptions) -> Result<CsvFile> {
        let (file, length) = open("CsvFile", path)?;
        match CsvFile::from_reader(file.into_inner().take(length), options) {
            Ok(table) => Ok(CsvFile { name: Some(path.display().to_string()), ..table }),
            Err(Failed::Format(rule)) => bail!(Data, "CsvFile", "{}: {rule}", path.display()),
            Err(Failed::Io(error)) => Err(Error::io("CsvFile", path.display(), error)),
        }
    }

    fn from_reader(reader: impl Read, options: &CsvOptions) -> Result<CsvFile, Failed> {
        if !options.delimiter.is_ascii() || b"\"\r\n".contains(&options.delimiter) {
            return Err(Failed::Format(format!(
                "the delimiter must be an ASCII character, and neither a quote nor a line break, got {:?}",
                char::from(options.delimiter)
            )));
        }
        let mut reader = options.builder().from_reader(Lines::new(reader, options.delimiter));
        let records: Result<Vec<csv::StringRecord>, csv::Error> = reader.records().collect();
        if let Some(line) = reader.get_ref().unclosed() {
            return Err(Failed::Format(format!("line {line}: a quote that is never closed")));
        }
        let lines = reader.get_ref().starts().to_vec();
        let records = records.map_err(|error| failed(error, &lines))?;
        let columns: Vec<String> = if options.headers {
            let names = reader.headers().map_err(|error| failed(error, &lines))?;
            names.iter().map(|name| name.trim().to_string()).collect()
        } else {
            (0..records.first().map_or(0, csv::StringRecord::len)).map(|i| i.to_string()).collect()
        };
        if columns.is_empty() {
            return Err(Failed::Format("there is no column: the file is empty".into()));
        }
        let mut sorted: Vec<&String> = columns.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Failed::Format(format!(
                "line {}: two columns have the name {:?}",
                lines.first().unwrap_or(&1),
                pair[0]
            )));
        }
        let mut lines: Vec<u64> = lines.into_iter().skip(usize::from(options.headers)).collect();
        lines.resize(records.len(), 0);
        let table = CsvFile { name: None, columns, records, lines, missing_as_nan: options.missing_as_nan };
        Ok(match table.columns.len() {
            1 => table.with_blank_lines(reader.get_ref().blanks(), usize::from(options.headers)),
            _ => table,
        })
    }

    /// The same table of one column with a record for each blank line, which the parser leaves out: a value that is
    /// missing. Those before the names, of which there are so many lines, are none.
    fn with_blank_lines(self, blanks: &[(usize, u64)], names: usize) -> CsvFile {
        let mut blanks =
            blanks.iter().filter(|(before, _)| *before >= names).map(|&(_, line)| line).peekable();
        let empty = || csv::StringRecord::from(vec![""]);
        let (mut records, mut lines) = (Vec::new(), Vec::new());
        for (record, line) in self.records.into_iter().zip(self.lines) {
            while let Some(blank) = blanks.next_if(|&blank| blank < line) {
                records.push(empty());
                lines.push(blank);
            }
            records.push(record);
            lines.push(line);
        }
        for blank in blanks {
            records.push(empty());
            lines.push(blank);
        }
        CsvFile { records, lines, ..self }
    }

    /// The names of the columns in order; numbers from 0 on where the file has no names.
    pub fn column_names(&self) -> &[String] {
        &self.columns
    }

    /// The number of rows, without the names.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// One column as a tensor of shape `[rows]`; what a field must be, [`CsvValue`] says.
    ///
    /// # Errors
    /// When there is no such column, or a field is not of this type. The message names line, column and text.
    #[track_caller]
    pub fn column<T: CsvValue>(&self, name: &str) -> Result<Tensor> {
        let mut values: Vec<T> = try_vec("CsvFile", self.len())?;
        self.take(&[name], &mut values)?;
        Tensor::from_vec(values, [self.len()])
    }

    /// Several columns as a tensor of shape `[rows, columns]`, in the order in which they are named here.
    ///
    /// # Errors
    /// Those of [`column`](CsvFile::column).
    #[track_caller]
    pub fn columns<T: CsvValue>(&self, names: &[&str]) -> Result<Tensor> {
        let mut values: Vec<T> = try_vec("CsvFile", self.len().saturating_mul(names.len()))?;
        self.take(names, &mut values)?;
        Tensor::from_vec(values, [self.len(), names.len()])
    }

    /// One column as text.
    ///
    /// # Errors
    /// When there is no such column.
    #[track_caller]
    pub fn texts(&self, name: &str) -> Result<Vec<&str>> {
        let place = self.place(name)?;
        Ok(self.records.iter().map(|record| &record[place]).collect())
    }

    /// One column as classes: a tensor of shape `[rows]` of their numbers, `i64`, and their names in alphabetical
    /// order, which is that of the numbers.
    ///
    /// # Errors
    /// When there is no such column.
    #[track_caller]
    pub fn classes(&self, name: &str) -> Result<(Tensor, Vec<String>)> {
        let texts = self.texts(name)?;
        let mut classes = texts.clone();
        classes.sort_unstable();
        classes.dedup();
        let number = |text: &&str| classes.partition_point(|class| class < text) as i64;
        let numbers: Vec<i64> = texts.iter().map(number).collect();
        Ok((Tensor::from_vec(numbers, [texts.len()])?, classes.into_iter().map(str::to_string).collect()))
    }

    #[track_caller]
    fn place(&self, name: &str) -> Result<usize> {
        match self.columns.iter().position(|column| column == name) {
            Some(place) => Ok(place),
            None => bail!(
                Data,
                "CsvFile",
                "{}there is no column {name:?}; there are {:?}",
                self.prefix(),
                self.columns
            ),
        }
    }

    /// Appends these columns, row by row.
    #[track_caller]
    fn take<T: CsvValue>(&self, names: &[&str], values: &mut Vec<T>) -> Result<()> {
        let mut places = Vec::with_capacity(names.len());
        for name in names {
            places.push(self.place(name)?);
        }
        for (record, line) in self.records.iter().zip(&self.lines) {
            for &place in &places {
                let text = record[place].trim();
                let value = match T::missing().filter(|_| text.is_empty() && self.missing_as_nan) {
                    Some(missing) => Some(missing),
                    None => T::parse(text),
                };
                let Some(value) = value else {
                    bail!(
                        Data,
                        "CsvFile",
                        "{}line {line}, column {:?}: {:?} is not {}",
                        self.prefix(),
                        self.columns[place],
                        &record[place],
                        T::WHAT
                    );
                };
                values.push(value);
            }
        }
        Ok(())
    }

    fn prefix(&self) -> impl Display + '_ {
        let name = self.name.as_deref();
        std::fmt::from_fn(move |f| name.map_or(Ok(()), |name| write!(f, "{name}: ")))
    }
}

enum Failed {
    Format(String),
    Io(std::io::Error),
}

/// The line in which a record begins.
fn line(position: Option<&csv::Position>, lines: &[u64]) -> u64 {
    position.and_then(|position| lines.get(position.record() as usize)).copied().unwrap_or(0)
}

fn failed(error: csv::Error, lines: &[u64]) -> Failed {
    let line = match error.position() {
        Some(position) => format!("line {}: ", line(Some(position), lines)),
        None => String::new(),
    };
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Failed::Io(error),
        csv::ErrorKind::Utf8 { err, .. } => {
            Failed::Format(format!("{line}field {}: not UTF-8", err.field() + 1))
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Failed::Format(format!("{line}there are {len} fields, expected {expected_len}"))
        }
        other => Failed::Format(format!("{line}{other:?}")),
    }
}
