//! Cross-entropy with a probability for each class.

use super::{LogSumExp, NS, PIECE, WIDTH, class_weights, samples};
use crate::Float;
use crate::lanes::{LANES, fold2, merge};
use crate::parallel;
use crate::simd::Kernel;
use crate::softmax::{column_sums, largest, sum_exp};
use crate::strips::{Strip, strips_mut};

/// What every row needs to know.
#[derive(Clone, Copy)]
struct Rule<'a, T> {
    weight: &'a [T],
    /// 1 − ε
    certain: f64,
    /// ε / C
    spread: f64,
}

impl<'a, T: Float> Rule<'a, T> {
    fn new(weight: &'a [T], label_smoothing: T) -> Self {
        let epsilon = label_smoothing.to_f64();
        Rule { weight, certain: 1.0 - epsilon, spread: epsilon / weight.len() as f64 }
    }

    /// The smoothed probability times the weight.
    #[inline(always)]
    fn share(&self, probability: T, weight: T) -> f64 {
        (self.certain * probability.to_f64() + self.spread) * weight.to_f64()
    }
}

/// The loss and the log-sum-exp of each row.
///
/// `targets` are `[N, C, S]`, `losses` and `log_sum_exp` `[N, S]`. With class weights w (1 where absent) and
/// label smoothing ε the loss of a row x with probabilities p is `Σ w[c]·((1 − ε)·p[c] + ε/C)·(lse − x[c])`, as
/// `torch.nn.functional.cross_entropy(reduction="none")`.
pub fn forward_probabilities<T: Float>(
    logits: &[T],
    [n, c, s]: [usize; 3],
    targets: &[T],
    weight: Option<&[T]>,
    label_smoothing: T,
    losses: &mut [T],
    log_sum_exp: &mut [LogSumExp<T>],
) {
    assert!(logits.len() == n * c * s && targets.len() == logits.len(), "number of logits");
    assert!(losses.len() == n * s && log_sum_exp.len() == n * s, "output lengths");
    let weight = class_weights(weight, c);
    let rule = Rule::new(&weight, label_smoothing);
    let ns = NS * logits.len() as f64;
    if s == 1 {
        let rows = (PIECE / c.max(1)).max(1);
        parallel::chunks_mut2((losses, rows), (log_sum_exp, rows), ns, |i, losses, log_sum_exp| {
            let part = i * rows * c..(i * rows + losses.len()) * c;
            let (logits, targets) = (&logits[part.clone()], &targets[part]);
            T::run(ForwardRows { logits, targets, rule, losses, log_sum_exp });
        });
    } else {
        parallel::chunks_mut2((losses, WIDTH), (log_sum_exp, WIDTH), ns, |i, losses, log_sum_exp| {
            samples(i * WIDTH, losses.len(), s, |sample, column, part| {
                let plane = sample * c * s..(sample + 1) * c * s;
                let (logits, targets) = (&logits[plane.clone()], &targets[plane]);
                let (losses, log_sum_exp) = (&mut losses[part.clone()], &mut log_sum_exp[part]);
                T::run(ForwardColumns { logits, targets, s, column, rule, losses, log_sum_exp });
            });
        });
    }
}

/// The gradient of [`forward_probabilities`] with respect to the logits, into `grad`.
///
/// `row_scale`, `[N, S]`, is the gradient of each row's loss (a reduction's divisor included).
#[expect(clippy::too_many_arguments, reason = "the arrays and options of the operation, each once")]
pub fn backward_probabilities<T: Float>(
    logits: &[T],
    [n, c, s]: [usize; 3],
    targets: &[T],
    weight: Option<&[T]>,
    label_smoothing: T,
    log_sum_exp: &[LogSumExp<T>],
    row_scale: &[T],
    grad: &mut [T],
) {
    assert!(logits.len() == n * c * s && targets.len() == logits.len(), "number of logits");
    assert_eq!(grad.len(), logits.len(), "output length");
    assert!(log_sum_exp.len() == n * s && row_scale.len() == n * s, "numbers of rows");
    let weight = class_weights(weight, c);
    let rule = Rule::new(&weight, label_smoothing);
    let ns = NS * logits.len() as f64;
    if grad.is_empty() {
    } else if s == 1 {
        let rows = (PIECE / c).max(1);
        parallel::chunks_mut(grad, rows * c, ns, |i, grad| {
            let part = i * rows * c..i * rows * c + grad.len();
            let (logits, targets) = (&logits[part.clone()], &targets[part]);
            let part = i * rows..i * rows + grad.len() / c;
            let (log_sum_exp, scale) = (&log_sum_exp[part.clone()], &row_scale[part]);
            T::run(BackwardRows { logits, targets, rule, log_sum_exp, scale, grad });
        });
    } else {
        strips_mut(grad, [n, c, s], WIDTH, ns, |sample, column, grad| {
            let plane = sample * c * s..(sample + 1) * c * s;
            let (logits, targets) = (&logits[plane.clone()], &targets[plane]);
            let part = sample * s + column..sample * s + column + grad.width();
            let (log_sum_exp, scale) = (&log_sum_exp[part.clone()], &row_scale[part]);
            T::run(BackwardColumns { logits, targets, s, column, rule, log_sum_exp, scale, grad });
        });
    }
}

struct ForwardRows<'a, T> {
    logits: &'a [T],
    targets: &'a [T],
    rule: Rule<'a, T>,
    losses: &'a mut [T],
    log_sum_exp: &'a mut [LogSumExp<T>],
}

impl<T: Float> Kernel for ForwardRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let classes = self.rule.weight.len();
        for (i, (loss, log_sum_exp)) in self.losses.iter_mut().zip(self.log_sum_exp).enumerate() {
            let x = &self.logits[i * classes..][..classes];
            let p = &self.targets[i * classes..][..classes];
            let most = largest(x);
            let log = sum_exp(x, most).ln();
            let most = most.to_f64();
            // Differences from the largest logit first: log-sum-exp itself may be too large to be exact.
            let nll = |v: T| (most - v.to_f64()) + log;
            // What has no share counts for nothing, also where the class is impossible.
            let mut lanes = [0.0; LANES];
            for ((x, p), w) in x.chunks(LANES).zip(p.chunks(LANES)).zip(self.rule.weight.chunks(LANES)) {
                for (((lane, &v), &p), &w) in lanes.iter_mut().zip(x).zip(p).zip(w) {
                    *lane += self.rule.share(p, w).times(nll(v));
                }
            }
            let sum = merge(lanes, |a, b| a + b);
            (*loss, *log_sum_exp) = (T::from_f64(sum), [T::from_f64(most), T::from_f64(log)]);
        }
    }
}

struct ForwardColumns<'a, T> {
    logits: &'a [T],
    targets: &'a [T],
    s: usize,
    column: usize,
    rule: Rule<'a, T>,
    losses: &'a mut [T],
    log_sum_exp: &'a mut [LogSumExp<T>],
}

impl<T: Float> Kernel for ForwardColumns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.losses.len();
        let (mut most, mut logs, mut sums) = ([T::ZERO; WIDTH], [0.0; WIDTH], [0.0; WIDTH]);
        column_sums(self.logits, self.s, self.column, &mut most[..width], &mut logs);
        logs[..width].iter_mut().for_each(|sum| *sum = sum.ln());
        let rows = self.logits.chunks_exact(self.s).zip(self.targets.chunks_exact(self.s));
        for ((row, p), &w) in rows.zip(self.rule.weight) {
            let (row, p) = (&row[self.column..][..width], &p[self.column..][..width]);
            for j in 0..width {
                let nll = (most[j].to_f64() - row[j].to_f64()) + logs[j];
                // What has no share counts for nothing, also where the class is impossible.
                sums[j] += self.rule.share(p[j], w).times(nll);
            }
        }
        for j in 0..width {
            self.losses[j] = T::from_f64(sums[j]);
            self.log_sum_exp[j] = [most[j], T::from_f64(logs[j])];
        }
    }
}

struct BackwardRows<'a, T> {
    logits: &'a [T],
    targets: &'a [T],
    rule: Rule<'a, T>,
    log_sum_exp: &'a [LogSumExp<T>],
    scale: &'a [T],
    grad: &'a mut [T],
}

impl<T: Float> Kernel for BackwardRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let rule = self.rule;
        let classes = rule.weight.len();
        let rows = self.logits.chunks_exact(classes).zip(self.targets.chunks_exact(classes));
        for (i, ((x, p), grad)) in rows.zip(self.grad.chunks_exact_mut(classes)).enumerate() {
            let (scale, [most, log]) = (self.scale[i].to_f64(), self.log_sum_exp[i]);
            let total = fold2((p, rule.weight), 0.0, |p, w| rule.share(p, w), |a, b| a + b);
            let all = T::from_f64(scale * total);
            for (grad, &v) in grad.iter_mut().zip(x) {
                *grad = ((v - most) - log).exp() * all;
            }
            for ((grad, &p), &w) in grad.iter_mut().zip(p).zip(rule.weight) {
                *grad -= T::from_f64(scale * rule.share(p, w));
            }
        }
    }
}

struct BackwardColumns<'a, T> {
    logits: &'a [T],
    targets: &'a [T],
    s: usize,
    column: usize,
    rule: Rule<'a, T>,
    log_sum_exp: &'a [LogSumExp<T>],
    scale: &'a [T],
    grad: Strip<'a, T>,
}

impl<T: Float> Kernel for BackwardColumns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let width = self.grad.width();
        let scale = &self.scale[..width];
        let (mut most, mut logs) = ([T::ZERO; WIDTH], [T::ZERO; WIDTH]);
        for (j, &log_sum_exp) in self.log_sum_exp.iter().enumerate() {
            [most[j], logs[j]] = log_sum_exp;
        }
        let mut totals = [0.0; WIDTH];
        for (p, &w) in self.targets.chunks_exact(self.s).zip(self.rule.weight) {
            for (total, &p) in totals.iter_mut().zip(&p[self.column..][..width]) {
                *total += self.rule.share(p, w);
            }
        }
        let rows = self.logits.chunks_exact(self.s).zip(self.targets.chunks_exact(self.s));
        for (class, ((row, p), &w)) in rows.zip(self.rule.weight).enumerate() {
            let (row, p) = (&row[self.column..][..width], &p[self.column..][..width]);
            let grad = self.grad.row_mut(class);
            for j in 0..width {
                let probability = ((row[j] - most[j]) - logs[j]).exp();
                let share = T::from_f64(scale[j].to_f64() * self.rule.share(p[j], w));
                grad[j] = probability * T::from_f64(scale[j].to_f64() * totals[j]) - share;
            }
        }
    }
}
