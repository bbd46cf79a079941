//! Where progress is shown.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

/// A bar on a terminal, or lines.
pub(super) enum Output {
    #[cfg(feature = "progress")]
    Bar(indicatif::ProgressBar),
    Lines,
}

impl Output {
    pub(super) fn standard_error(label: &str, steps: usize) -> Output {
        #[cfg(feature = "progress")]
        if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
            return Output::Bar(bar(label, steps));
        }
        let _ = (label, steps);
        Output::Lines
    }

    /// How much time passes between two times that something is shown.
    pub(super) fn interval(&self) -> Duration {
        match self {
            #[cfg(feature = "progress")]
            Output::Bar(_) => Duration::from_millis(100),
            Output::Lines => Duration::from_secs(10),
        }
    }

    pub(super) fn show(
        &self,
        label: &str,
        done: usize,
        steps: usize,
        elapsed: Duration,
        message: &dyn Display,
    ) {
        match self {
            #[cfg(feature = "progress")]
            Output::Bar(bar) => {
                bar.set_position(done as u64);
                bar.set_message(message.to_string());
            }
            Output::Lines => {
                // Training goes on where nobody reads the lines any more.
                let _ = writeln!(std::io::stderr(), "{}", line(label, done, steps, elapsed, message));
            }
        }
    }
}

#[cfg(feature = "progress")]
fn bar(label: &str, steps: usize) -> indicatif::ProgressBar {
    use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

    const TEMPLATE: &str = "{prefix} {wide_bar} {pos}/{len} [{elapsed} < {eta}] {msg}";
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps as u64)
        .with_style(style)
        .with_prefix(label.to_string())
        .with_finish(ProgressFinish::AndClear)
}

/// `epoch 1: 300/938 (31 %), 21 s, loss 0.5123`
fn line(label: &str, done: usize, steps: usize, elapsed: Duration, message: &dyn Display) -> String {
    let percent = (100 * done).checked_div(steps).unwrap_or(100);
    format!("{label}: {done}/{steps} ({percent} %), {} s, {message}", elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let line = |done, steps| line("epoch 1", done, steps, Duration::from_millis(21_900), &"loss 0.5");
        assert_eq!(line(300, 938), "epoch 1: 300/938 (31 %), 21 s, loss 0.5");
        assert_eq!(line(1, 0), "epoch 1: 1/0 (100 %), 21 s, loss 0.5");
    }

    /// A message that must not be written out.
    struct Never;

    impl Display for Never {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("a message was written out that nobody sees")
        }
    }

    #[test]
    fn messages_are_not_written_out_between_two_lines() {
        let mut progress = super::super::Progress::new("epoch 1", 100);
        progress.output = Output::Lines;
        progress.next = progress.output.interval();
        (0..100).for_each(|_| progress.step(Never));
        assert_eq!(progress.steps_done(), 100);
    }
}
