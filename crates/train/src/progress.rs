//! [`Progress`]: how far an epoch is.

mod output;

use std::fmt::Display;
use std::time::{Duration, Instant};

use output::Output;

/// Shows on the standard error stream how far an epoch is: a bar on a terminal (with the feature `progress`,
/// which is on by default), and a line every ten seconds elsewhere, so that log files stay short. It is gone,
/// or silent, once the value is dropped.
///
/// ```
/// use chainrule_train::{Progress, RunningMean};
///
/// let mut loss = RunningMean::new();
/// let mut progress = Progress::new("epoch 1", 3);
/// for batch_loss in [0.9, 0.7, 0.5] {
///     loss.update(batch_loss, 64);
///     progress.step(format_args!("loss {:.4}", loss.mean()));
/// }
/// assert_eq!(progress.steps_done(), 3);
/// ```
pub struct Progress {
    label: String,
    steps: usize,
    done: usize,
    started: Instant,
    /// When there is something to show again, counted from the start.
    next: Duration,
    output: Output,
}

impl Progress {
    /// Progress of so many steps, usually the number of batches of a loader.
    pub fn new(label: impl Into<String>, steps: usize) -> Progress {
        let label = label.into();
        let output = Output::standard_error(&label, steps);
        Progress { label, steps, done: 0, started: Instant::now(), next: output.interval(), output }
    }

    /// Counts a step. The message is written out only when it is shown.
    pub fn step(&mut self, message: impl Display) {
        self.done += 1;
        let elapsed = self.started.elapsed();
        if elapsed >= self.next {
            self.next = elapsed + self.output.interval();
            let Progress { label, steps, done, .. } = &*self;
            self.output.show(label, *done, *steps, elapsed, &message);
        }
    }

    /// How many steps were counted.
    pub fn steps_done(&self) -> usize {
        self.done
    }
}
