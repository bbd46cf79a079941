//! Cross-entropy with a class index for each row.

use super::{LogSumExp, NS, PIECE, WIDTH, class_weights, samples};
use crate::Float;
use crate::lanes;
use crate::parallel;
use crate::simd::Kernel;
use crate::softmax::{column_sums, largest, sum_exp};
use crate::strips::{Strip, strips_mut};

/// What every row needs to know.
#[derive(Clone, Copy)]
struct Rule<'a, T> {
    weight: &'a [T],
    ignore_index: i64,
    /// 1 − ε
    certain: f64,
    /// ε / C
    spread: f64,
}

impl<'a, T: Float> Rule<'a, T> {
    fn new(weight: &'a [T], ignore_index: i64, label_smoothing: T) -> Self {
        let epsilon = label_smoothing.to_f64();
        Rule { weight, ignore_index, certain: 1.0 - epsilon, spread: epsilon / weight.len() as f64 }
    }
}

/// The loss and the log-sum-exp of each row.
///
/// `targets`, `losses` and `log_sum_exp` are `[N, S]`; a target is a class, below C, or `ignore_index`, for
/// which the loss is 0. With class weights w (1 where absent) and label smoothing ε the loss of a row x with
/// target y is `(1 − ε)·w[y]·(lse − x[y]) + (ε/C)·Σ w[c]·(lse − x[c])`, as
/// `torch.nn.functional.cross_entropy(reduction="none")`.
#[expect(clippy::too_many_arguments, reason = "the arrays and options of the operation, each once")]
pub fn forward<T: Float>(
    logits: &[T],
    [n, c, s]: [usize; 3],
    targets: &[i64],
    weight: Option<&[T]>,
    ignore_index: i64,
    label_smoothing: T,
    losses: &mut [T],
    log_sum_exp: &mut [LogSumExp<T>],
) {
    assert_eq!(logits.len(), n * c * s, "number of logits");
    assert_eq!(targets.len(), n * s, "number of targets");
    assert!(losses.len() == n * s && log_sum_exp.len() == n * s, "output lengths");
    let weight = class_weights(weight, c);
    let rule = Rule::new(&weight, ignore_index, label_smoothing);
    let ns = NS * logits.len() as f64;
    if s == 1 {
        let rows = (PIECE / c.max(1)).max(1);
        parallel::chunks_mut2((losses, rows), (log_sum_exp, rows), ns, |i, losses, log_sum_exp| {
            let logits = &logits[i * rows * c..][..losses.len() * c];
            let targets = &targets[i * rows..][..losses.len()];
            T::run(ForwardRows { logits, targets, rule, losses, log_sum_exp });
        });
    } else {
        parallel::chunks_mut2((losses, WIDTH), (log_sum_exp, WIDTH), ns, |i, losses, log_sum_exp| {
            samples(i * WIDTH, losses.len(), s, |sample, column, part| {
                let logits = &logits[sample * c * s..][..c * s];
                let targets = &targets[sample * s + column..][..part.len()];
                let (losses, log_sum_exp) = (&mut losses[part.clone()], &mut log_sum_exp[part]);
                T::run(ForwardColumns { logits, s, column, targets, rule, losses, log_sum_exp });
            });
        });
    }
}

/// The gradient of [`forward`] with respect to the logits, into `grad`.
///
/// `row_scale`, `[N, S]`, is the gradient of each row's loss (a reduction's divisor included). Rows that are
/// ignored get 0.
#[expect(clippy::too_many_arguments, reason = "the arrays and options of the operation, each once")]
pub fn backward<T: Float>(
    logits: &[T],
    [n, c, s]: [usize; 3],
    targets: &[i64],
    weight: Option<&[T]>,
    ignore_index: i64,
    label_smoothing: T,
    log_sum_exp: &[LogSumExp<T>],
    row_scale: &[T],
    grad: &mut [T],
) {
    assert!(logits.len() == n * c * s && grad.len() == logits.len(), "number of logits");
    assert_eq!(targets.len(), n * s, "number of targets");
    assert!(log_sum_exp.len() == n * s && row_scale.len() == n * s, "numbers of rows");
    let weight = class_weights(weight, c);
    let rule = Rule::new(&weight, ignore_index, label_smoothing);
    let total: f64 = weight.iter().map(|w| w.to_f64()).sum();
    let ns = NS * logits.len() as f64;
    if grad.is_empty() {
    } else if s == 1 {
        let rows = (PIECE / c).max(1);
        parallel::chunks_mut(grad, rows * c, ns, |i, grad| {
            let logits = &logits[i * rows * c..][..grad.len()];
            let part = i * rows..i * rows + grad.len() / c;
            let rows = Rows {
                targets: &targets[part.clone()],
                log_sum_exp: &log_sum_exp[part.clone()],
                scale: &row_scale[part],
            };
            T::run(BackwardRows { logits, rows, rule, total, grad });
        });
    } else {
        strips_mut(grad, [n, c, s], WIDTH, ns, |sample, column, grad| {
            let logits = &logits[sample * c * s..][..c * s];
            let part = sample * s + column..sample * s + column + grad.width();
            let rows = Rows {
                targets: &targets[part.clone()],
                log_sum_exp: &log_sum_exp[part.clone()],
                scale: &row_scale[part],
            };
            T::run(BackwardColumns { logits, s, column, rows, rule, total, grad });
        });
    }
}

struct ForwardRows<'a, T> {
    logits: &'a [T],
    targets: &'a [i64],
    rule: Rule<'a, T>,
    losses: &'a mut [T],
    log_sum_exp: &'a mut [LogSumExp<T>],
}

impl<T: Float> Kernel for ForwardRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Rule { weight, ignore_index, certain, spread } = self.rule;
        let classes = weight.len();
        for (i, &target) in self.targets.iter().enumerate() {
            if target == ignore_index {
                (self.losses[i], self.log_sum_exp[i]) = (T::ZERO, [T::ZERO; 2]);
                continue;
            }
            let x = &self.logits[i * classes..][..classes];
            let most = largest(x);
            let log = sum_exp(x, most).ln();
            let most = most.to_f64();
            // Differences from the largest logit first: log-sum-exp itself may be too large to be exact.
            let nll = |v: T| (most - v.to_f64()) + log;
            let y = target as usize;
            let mut loss = (certain * weight[y].to_f64()).times(nll(x[y]));
            if spread != 0.0 {
                loss +=
                    spread * lanes::fold2((x, weight), 0.0, |v, w| w.to_f64().times(nll(v)), |a, b| a + b);
            }
            (self.losses[i], self.log_sum_exp[i]) =
                (T::from_f64(loss), [T::from_f64(most), T::from_f64(log)]);
        }
    }
}

struct ForwardColumns<'a, T> {
    logits: &'a [T],
    s: usize,
    column: usize,
    targets: &'a [i64],
    rule: Rule<'a, T>,
    losses: &'a mut [T],
    log_sum_exp: &'a mut [LogSumExp<T>],
}

impl<T: Float> Kernel for ForwardColumns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Rule { weight, ignore_index, certain, spread } = self.rule;
        let width = self.targets.len();
        let (mut most, mut logs, mut smooth) = ([T::ZERO; WIDTH], [0.0; WIDTH], [0.0; WIDTH]);
        column_sums(self.logits, self.s, self.column, &mut most[..width], &mut logs);
        logs[..width].iter_mut().for_each(|sum| *sum = sum.ln());
        if spread != 0.0 {
            for (row, &w) in self.logits.chunks_exact(self.s).zip(weight) {
                let row = &row[self.column..][..width];
                for j in 0..width {
                    smooth[j] += w.to_f64().times((most[j].to_f64() - row[j].to_f64()) + logs[j]);
                }
            }
        }
        for (j, &target) in self.targets.iter().enumerate() {
            if target == ignore_index {
                (self.losses[j], self.log_sum_exp[j]) = (T::ZERO, [T::ZERO; 2]);
                continue;
            }
            let y = target as usize;
            let nll = (most[j].to_f64() - self.logits[y * self.s + self.column + j].to_f64()) + logs[j];
            let mut loss = (certain * weight[y].to_f64()).times(nll);
            if spread != 0.0 {
                loss += spread * smooth[j];
            }
            self.losses[j] = T::from_f64(loss);
            self.log_sum_exp[j] = [most[j], T::from_f64(logs[j])];
        }
    }
}

/// What belongs to the rows of a task.
struct Rows<'a, T> {
    targets: &'a [i64],
    log_sum_exp: &'a [LogSumExp<T>],
    scale: &'a [T],
}

struct BackwardRows<'a, T> {
    logits: &'a [T],
    rows: Rows<'a, T>,
    rule: Rule<'a, T>,
    total: f64,
    grad: &'a mut [T],
}

impl<T: Float> Kernel for BackwardRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Rule { weight, ignore_index, certain, spread } = self.rule;
        let classes = weight.len();
        let rows = self.logits.chunks_exact(classes).zip(self.grad.chunks_exact_mut(classes));
        for (i, (x, grad)) in rows.enumerate() {
            if self.rows.targets[i] == ignore_index {
                grad.fill(T::ZERO);
                continue;
            }
            let y = self.rows.targets[i] as usize;
            let (scale, [most, log]) = (self.rows.scale[i].to_f64(), self.rows.log_sum_exp[i]);
            let hit = certain * weight[y].to_f64();
            let all = T::from_f64(scale * (hit + spread * self.total));
            for (grad, &v) in grad.iter_mut().zip(x) {
                *grad = ((v - most) - log).exp() * all;
            }
            if spread != 0.0 {
                let miss = T::from_f64(scale * spread);
                for (grad, &w) in grad.iter_mut().zip(weight) {
                    *grad -= miss * w;
                }
            }
            grad[y] -= T::from_f64(scale * hit);
        }
    }
}

struct BackwardColumns<'a, T> {
    logits: &'a [T],
    s: usize,
    column: usize,
    rows: Rows<'a, T>,
    rule: Rule<'a, T>,
    total: f64,
    grad: Strip<'a, T>,
}

impl<T: Float> Kernel for BackwardColumns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let Rule { weight, ignore_index, certain, spread } = self.rule;
        let width = self.grad.width();
        let (mut all, mut miss, mut hits) = ([T::ZERO; WIDTH], [T::ZERO; WIDTH], [T::ZERO; WIDTH]);
        for (j, &target) in self.rows.targets.iter().enumerate() {
            if target != ignore_index {
                let scale = self.rows.scale[j].to_f64();
                let hit = certain * weight[target as usize].to_f64();
                all[j] = T::from_f64(scale * (hit + spread * self.total));
                miss[j] = T::from_f64(scale * spread);
                hits[j] = T::from_f64(scale * hit);
            }
        }
        let (mut most, mut logs) = ([T::ZERO; WIDTH], [T::ZERO; WIDTH]);
        for (j, &log_sum_exp) in self.rows.log_sum_exp.iter().enumerate() {
            [most[j], logs[j]] = log_sum_exp;
        }
        for (class, (row, &w)) in self.logits.chunks_exact(self.s).zip(weight).enumerate() {
            let (row, grad) = (&row[self.column..][..width], self.grad.row_mut(class));
            for j in 0..width {
                grad[j] = ((row[j] - most[j]) - logs[j]).exp() * all[j] - miss[j] * w;
            }
        }
        for (j, &target) in self.rows.targets.iter().enumerate() {
            if target == ignore_index {
                (0..weight.len()).for_each(|class| self.grad.row_mut(class)[j] = T::ZERO);
            } else {
                self.grad.row_mut(target as usize)[j] -= hits[j];
            }
        }
    }
}
