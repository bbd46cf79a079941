//! Tables as text.
#![cfg(feature = "csv")]

use chainrule_data::{CsvFile, CsvOptions};
use chainrule_tensor::{DType, ErrorKind, Result};

const TABLE: &str =
    "name, size,count,sold\n\"tall, \"\"old\"\" oak\",12.5,3,true\nelm,-1e2,-4,0\n\"a\nb\",inf,5,FALSE\n";

fn refused<T>(result: Result<T>, rule: &str) {
    let error = result.err().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    assert!(error.message().contains(rule), "expected {rule:?}: {error}");
    assert_eq!(error.location().unwrap().file(), file!());
}

#[test]
fn columns_by_name() {
    for text in [TABLE.to_string(), TABLE.replace('\n', "\r\n"), format!("\u{feff}{TABLE}")] {
        let table = CsvFile::parse(text.as_bytes()).unwrap();
        assert_eq!(table.column_names(), ["name", "size", "count", "sold"]);
        assert_eq!(table.len(), 3);
        let sizes = table.column::<f32>("size").unwrap();
        assert_eq!((sizes.shape(), sizes.dtype()), (&[3].into(), DType::F32));
        assert_eq!(sizes.to_vec::<f32>().unwrap(), [12.5, -100.0, f32::INFINITY]);
        assert_eq!(table.column::<i64>("count").unwrap().to_vec::<i64>().unwrap(), [3, -4, 5]);
        assert_eq!(table.column::<bool>("sold").unwrap().to_vec::<bool>().unwrap(), [true, false, false]);
        let both = table.columns::<f64>(&["count", "size"]).unwrap();
        assert_eq!(both.shape(), &[3, 2]);
        assert_eq!(both.to_vec::<f64>().unwrap(), [3.0, 12.5, -4.0, -100.0, 5.0, f64::INFINITY]);
        assert_eq!(table.texts("name").unwrap()[0], "tall, \"old\" oak");
        let (numbers, classes) = table.classes("count").unwrap();
        assert_eq!(
            (numbers.to_vec::<i64>().unwrap(), classes),
            (vec![1, 0, 2], ["-4", "3", "5"].map(String::from).into())
        );
        assert_eq!(table.columns::<f32>(&[]).unwrap().shape(), &[3, 0]);
    }
}

#[test]
fn fields_of_another_type_are_named() {
    let table = CsvFile::parse(TABLE.as_bytes()).unwrap();
    refused(
        table.column::<f32>("name"),
        "line 2, column \"name\": \"tall, \\\"old\\\" oak\" is not a number",
    );
    refused(table.column::<i64>("size"), "line 2, column \"size\": \"12.5\" is not an integer");
    refused(
        table.columns::<bool>(&["sold", "count"]),
        "line 2, column \"count\": \"3\" is not true or false",
    );
    refused(table.column::<f32>("colour"), "no column \"colour\"; there are [\"name\", \"size\"");
    refused(table.texts("colour"), "no column");
    // The third record begins in line 4 and ends in line 5.
    let late = CsvFile::parse(TABLE.replace("inf", "x").as_bytes()).unwrap();
    refused(late.column::<f64>("size"), "line 4, column \"size\": \"x\"");
    let large = CsvFile::parse(b"n\n9223372036854775808\n").unwrap();
    refused(large.column::<i64>("n"), "line 2");
}

#[test]
fn missing_values() {
    let text = b"a,b\n1,2\n ,3\n";
    refused(CsvFile::parse(text).unwrap().column::<f32>("a"), "line 3, column \"a\": \" \" is not a number");
    let table = CsvOptions::new().missing_as_nan(true).parse(text).unwrap();
    let values = table.column::<f32>("a").unwrap().to_vec::<f32>().unwrap();
    assert!(values[0] == 1.0 && values[1].is_nan());
    refused(table.column::<i64>("a"), "is not an integer");
}

#[test]
fn files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.csv");
    std::fs::write(&path, TABLE).unwrap();
    let table = CsvFile::read(&path).unwrap();
    refused(table.column::<f32>("name"), &format!("{}: line 2", path.display()));
    refused(table.column::<f32>("x"), &path.display().to_string());
    for (bad, rule) in [
        (&b"a,b\n1,2\n3\n"[..], "line 3: there are 1 fields, expected 2"),
        (b"a,b\n1,2,3\n", "line 2: there are 3 fields, expected 2"),
        (b"a,b\n1,2\n3,\xFF\n", "line 3: field 2: not UTF-8"),
        (b"a,\xFF\n1,2\n", "not UTF-8"),
        (b"a,b,a\n1,2,3\n", "line 1: two columns have the name \"a\""),
        (b"", "there is no column: the file is empty"),
    ] {
        std::fs::write(&path, bad).unwrap();
        refused(CsvFile::read(&path), rule);
        refused(CsvFile::read(&path), &path.display().to_string());
        refused(CsvFile::parse(bad), rule);
    }
    assert_eq!(CsvFile::read(directory.path().join("none.csv")).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(CsvFile::read(directory.path()).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn without_names_or_rows() {
    let options = CsvOptions::new().headers(false).delimiter(b'\t');
    let table = options.parse(b"1\t2\n3\t4\n").unwrap();
    assert_eq!(table.columns::<i64>(&["1", "0"]).unwrap().to_vec::<i64>().unwrap(), [2, 1, 4, 3]);
    let empty = CsvFile::parse(b"a,b\n").unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.columns::<f32>(&["a", "b"]).unwrap().shape(), &[0, 2]);
    refused(options.parse(b""), "empty");
}

#[test]
fn quotes_that_are_never_closed() {
    // The rest of the file would be the text of the field.
    refused(CsvFile::parse(b"a,b\n1,x\n2,\"y\n3,z\n4,w\n"), "line 3: a quote that is never closed");
    // Here the lines would have other numbers of fields.
    refused(CsvFile::parse(b"a,b\n\"1,x\n2,y\n"), "line 2: a quote");
    refused(CsvFile::parse(b"\"a,b\n1,2\n"), "line 1: a quote");
    refused(CsvFile::parse(b"\xEF\xBB\xBF\"a,b\n1,2\n"), "line 1: a quote");
    refused(CsvFile::parse(b"a\n\"x\"\"\n"), "line 2: a quote");
    refused(CsvOptions::new().delimiter(b';').parse(b"a;b\n1;\"2\n"), "line 2: a quote");
    // Quotes that open nothing are text, and closed ones are no matter.
    let table = CsvFile::parse(b"a,b\n5\" pipe,\"x\" y\n\"\"\"q\"\"\",\"\"\n").unwrap();
    assert_eq!(table.texts("a").unwrap(), ["5\" pipe", "\"q\""]);
    assert_eq!(table.texts("b").unwrap(), ["x y", ""]);
}

#[test]
fn lines_are_those_of_the_file() {
    for end in ["\n", "\r\n"] {
        let file = |lines: &[&str]| CsvFile::parse(lines.join(end).as_bytes());
        refused(file(&["n", "1", "x", "3"]).unwrap().column::<i64>("n"), "line 3, column \"n\": \"x\"");
        refused(file(&["", "n,m", "", "", "1,1", "", "x,1"]).unwrap().column::<i64>("n"), "line 7, column");
        refused(file(&["", "n", "1", "", "x"]).unwrap().column::<i64>("n"), "line 4, column \"n\": \"\"");
        refused(file(&["n,m", "1,2", "3"]), "line 3: there are 1 fields, expected 2");
        refused(file(&["n,m", "\"1", "\",2", "", "3"]), "line 5: there are 1 fields");
        refused(file(&["", "n,n", "1,2"]), "line 2: two columns");
        refused(file(&["n", "1", "", "2,3"]), "line 4: there are 2 fields");
        let mut latin1 = ["n", "1", "caf?", ""].join(end).into_bytes();
        latin1.iter_mut().filter(|byte| **byte == b'?').for_each(|byte| *byte = 0xE9);
        refused(CsvFile::parse(&latin1), "line 3: field 1: not UTF-8");
        let no_names = CsvOptions::new().headers(false).parse(["1", "2", "x"].join(end).as_bytes()).unwrap();
        refused(no_names.column::<i64>("0"), "line 3, column");
    }
}

/// A label that is missing must not make way for the next one.
#[test]
fn blank_lines_of_one_column_are_missing_values() {
    let texts = |lines: &[&str], end: &str, names: bool| {
        let table = CsvOptions::new().headers(names).parse(lines.join(end).as_bytes()).unwrap();
        let column = table.column_names()[0].clone();
        let texts: Vec<String> = table.texts(&column).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(table.len(), texts.len());
        texts
    };
    for end in ["\n", "\r\n", "\r"] {
        assert_eq!(texts(&["n", "a", "", "b", ""], end, true), ["a", "", "b"]);
        // The last line break ends the last row; before it there is none.
        assert_eq!(texts(&["n", "a", "b"], end, true), ["a", "b"]);
        assert_eq!(texts(&["n", "a", "b", ""], end, true), ["a", "b"]);
        assert_eq!(texts(&["n", "a", "b", "", ""], end, true), ["a", "b", ""]);
        assert_eq!(texts(&["n", "", "", "a"], end, true), ["", "", "a"]);
        assert_eq!(texts(&["n", ""], end, true), [""; 0]);
        assert_eq!(texts(&["n", "", ""], end, true), [""]);
        // Before the names there are no rows, without names there are.
        assert_eq!(texts(&["", "n", "a", ""], end, true), ["a"]);
        assert_eq!(texts(&["", "a", "", "b", ""], end, false), ["", "a", "", "b"]);
        // What is quoted is no blank line, and neither is white space.
        assert_eq!(
            texts(&["\"n\"", "\"\"", "\"x", "", "y\"", "", " ", ""], end, true),
            ["", &format!("x{end}{end}y"), "", " "]
        );
        assert_eq!(texts(&["\u{feff}n", "a", "", "b"], end, true), ["a", "", "b"]);
        assert_eq!(texts(&["\u{feff}", "a", "", "b"], end, false), ["", "a", "", "b"]);
        // With several columns, blank lines are no rows.
        assert_eq!(texts(&["n,m", "", "a,1", "", "b,2", "", ""], end, true), ["a", "b"]);
    }
    let table = CsvOptions::new().missing_as_nan(true).parse(b"y\n1\n\n3\n").unwrap();
    let values = table.column::<f32>("y").unwrap().to_vec::<f32>().unwrap();
    assert!(values[0] == 1.0 && values[1].is_nan() && values[2] == 3.0, "{values:?}");
    let (labels, classes) = CsvFile::parse(b"y\ncat\n\ndog\n").unwrap().classes("y").unwrap();
    assert_eq!(
        (labels.to_vec::<i64>().unwrap(), classes),
        (vec![1, 0, 2], ["", "cat", "dog"].map(String::from).into())
    );
}

#[test]
fn numbers_that_do_not_fit() {
    let table = CsvFile::parse(b"a\n1e39\n").unwrap();
    refused(
        table.column::<f32>("a"),
        "line 2, column \"a\": \"1e39\" is not a number that fits into float32",
    );
    assert_eq!(table.column::<f64>("a").unwrap().to_vec::<f64>().unwrap(), [1e39]);
    refused(
        CsvFile::parse(b"a\n-1e400\n").unwrap().column::<f64>("a"),
        "not a number that fits into float64",
    );
    refused(CsvFile::parse(b"a\n9223372036854775808\n").unwrap().column::<i64>("a"), "fits into int64");
    // Infinities in words are meant, and what is too small is 0.
    let words = CsvFile::parse(b"a\ninf\n-Infinity\n+INF\n1e-400\n").unwrap();
    let want = [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, 0.0];
    assert_eq!(words.column::<f64>("a").unwrap().to_vec::<f64>().unwrap(), want);
    assert!(CsvFile::parse(b"a\nNaN\n").unwrap().column::<f32>("a").unwrap().item().unwrap().is_nan());
    // The greatest that rounds to a number, and the least that does not.
    let edge = CsvFile::parse(b"a\n3.4028235677973367e38\n").unwrap();
    refused(edge.column::<f32>("a"), "fits into float32");
    let below = CsvFile::parse(b"a\n3.4028235677973366e38\n").unwrap();
    assert_eq!(below.column::<f32>("a").unwrap().to_vec::<f32>().unwrap(), [f32::MAX]);
}

#[test]
fn delimiters_that_are_none() {
    for delimiter in [b'"', b'\n', b'\r', 0xC3] {
        refused(CsvOptions::new().delimiter(delimiter).parse(b"a\n1\n"), "the delimiter must be an ASCII");
    }
}

#[test]
fn large_fields() {
    let long = "x".repeat(3 << 20);
    let table = CsvFile::parse(format!("a,b\n{long},1\n\"{long}\n\",2\n").as_bytes()).unwrap();
    assert_eq!(table.texts("a").unwrap()[0].len(), 3 << 20);
    assert_eq!(table.texts("a").unwrap()[1].len(), (3 << 20) + 1);
    assert_eq!(table.column::<i64>("b").unwrap().to_vec::<i64>().unwrap(), [1, 2]);
}
