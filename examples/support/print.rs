//! `println!` for programs whose output is read by others: where nobody reads on, as behind `| head`, the program ends
//! without a word, and does not panic.

/// As the standard library's, but ends the program where the output cannot be written.
macro_rules! println {
    () => {
        crate::print::write(format_args!("\n"))
    };
    ($($arguments:tt)*) => {
        crate::print::write(format_args!("{}\n", format_args!($($arguments)*)))
    };
}

/// Likewise.
#[allow(unused_macros, reason = "not every example prints parts of lines")]
macro_rules! print {
    ($($arguments:tt)*) => {
        crate::print::write(format_args!($($arguments)*))
    };
}

pub(crate) fn write(text: std::fmt::Arguments<'_>) {
    use std::io::{ErrorKind, Write};
    if let Err(error) = std::io::stdout().write_fmt(text) {
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}
