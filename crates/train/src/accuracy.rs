//! How often a classifier is right.

use chainrule_tensor::{DType, Result, Tensor, bail};

/// The options of [`correct_with`], [`accuracy_with`] and [`num_targets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccuracyOptions {
    /// A target that does not count, as for the loss of the same option. Default -100.
    pub ignore_index: i64,
}

impl Default for AccuracyOptions {
    fn default() -> Self {
        AccuracyOptions { ignore_index: -100 }
    }
}

/// The number of samples whose largest logit is that of their target.
///
/// `logits` are `[N, C]` or `[N, C, d1, …]`, of any dtype but `bool`: scores of C classes, or their
/// probabilities. `targets` are class indices, `i64` in the shape of the logits without C; those of -100 do not count
/// ([`correct_with`] takes another `ignore_index`). Of equal largest logits the first counts; where one is NaN there is
/// no largest, and the sample is not right. The counterpart of `(torch.max(logits, 1)[1] == targets).sum().item()`.
///
/// ```
/// # use chainrule_tensor::{Result, Tensor};
/// # use chainrule_train::correct;
/// # fn main() -> Result<()> {
/// let logits = Tensor::new([[0.1, 2.0], [3.0, -1.0], [0.0, 0.5]]);
/// assert_eq!(correct(&logits, &Tensor::new([1, 0, 0]))?, 2);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For logits of fewer than two dimensions, of fewer than two classes, or of `bool`, and for targets that are not `i64`,
/// of another shape, or of a class that does not exist. (One logit for each sample of two classes has no largest: it is
/// right where `logit > 0` agrees with the target.)
#[track_caller]
pub fn correct(logits: &Tensor, targets: &Tensor) -> Result<usize> {
    correct_with(logits, targets, AccuracyOptions::default())
}

/// As [`correct`], with options.
///
/// # Errors
/// As [`correct`].
#[track_caller]
pub fn correct_with(logits: &Tensor, targets: &Tensor, options: AccuracyOptions) -> Result<usize> {
    Ok(count("correct", logits, targets, options)?.0)
}

/// The part of the targets that count whose samples are right, from 0 to 1: [`correct`] divided by [`num_targets`]. NaN
/// where there are none.
///
/// ```
/// # use chainrule_tensor::{Result, Tensor};
/// # use chainrule_train::accuracy;
/// # fn main() -> Result<()> {
/// let out = Tensor::new([[0.03, 0.12, 0.85], [0.01, 0.9, 0.09], [0.95, 0.01, 0.04], [0.09, 0.9, 0.01]]);
/// assert_eq!(accuracy(&out, &Tensor::new([2, 1, 1, 1]))?, 0.75);
/// assert_eq!(accuracy(&out, &Tensor::new([2, 1, 1, -100]))?, 2.0 / 3.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`correct`].
#[track_caller]
pub fn accuracy(logits: &Tensor, targets: &Tensor) -> Result<f64> {
    accuracy_with(logits, targets, AccuracyOptions::default())
}

/// As [`accuracy`], with options.
///
/// # Errors
/// As [`correct`].
#[track_caller]
pub fn accuracy_with(logits: &Tensor, targets: &Tensor, options: AccuracyOptions) -> Result<f64> {
    let (right, counted) = count("accuracy", logits, targets, options)?;
    Ok(right as f64 / counted as f64)
}

/// The number of targets that count: those that are not `ignore_index`. It is what the mean of a loss that ignores some
/// is divided by, and so how often that mean counts in a [`RunningMean`](crate::RunningMean).
///
/// ```
/// # use chainrule_tensor::{Result, Tensor};
/// # use chainrule_train::{AccuracyOptions, num_targets};
/// # fn main() -> Result<()> {
/// assert_eq!(num_targets(&Tensor::new([3, -100, 5]), AccuracyOptions::default())?, 2);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For targets that are not `i64`.
#[track_caller]
pub fn num_targets(targets: &Tensor, options: AccuracyOptions) -> Result<usize> {
    check_dtype("num_targets", targets)?;
    Ok(targets.ne(options.ignore_index)?.sum()?.to_scalar::<i64>()? as usize)
}

/// How many samples are right, and how many count.
#[track_caller]
fn count(
    operation: &str,
    logits: &Tensor,
    targets: &Tensor,
    AccuracyOptions { ignore_index }: AccuracyOptions,
) -> Result<(usize, usize)> {
    let (shape, logits) = (logits.shape(), logits.detach());
    if shape.len() < 2 {
        bail!(Shape, operation, "logits must be [N, C] or [N, C, d1, …], not of shape {shape}");
    }
    if shape[1] < 2 {
        bail!(
            Shape,
            operation,
            "logits of shape {shape} have no two classes to choose from (one logit for two classes is compared with 0)"
        );
    }
    check_dtype(operation, targets)?;
    // Not left to broadcasting, which would count [N, 1] targets N times.
    if targets.shape()[..] != [&shape[..1], &shape[2..]].concat() {
        bail!(
            Shape,
            operation,
            "targets of shape {} do not fit logits of shape {shape}: they must have its sizes without the second",
            targets.shape()
        );
    }
    let counts = targets.ne(ignore_index)?;
    let exists = targets.ge(0)?.logical_and(&targets.lt(shape[1] as i64)?)?;
    if counts.logical_and(&exists.logical_not()?)?.any()?.to_scalar::<bool>()? {
        let wrong = targets.to_vec::<i64>()?.into_iter();
        let wrong = wrong.into_iter().find(|&t| t != ignore_index && !(0..shape[1] as i64).contains(&t));
        bail!(
            Index,
            operation,
            "target {} is no class of logits of shape {shape}, nor the ignore_index {ignore_index}",
            wrong.unwrap_or_default()
        );
    }
    let (largest, class) = logits.max_dim(1, false)?;
    let right = class.eq(targets)?.logical_and(&counts)?.logical_and(&largest.isnan()?.logical_not()?)?;
    let number = |flags: Tensor| Ok(flags.sum()?.to_scalar::<i64>()? as usize);
    Ok((number(right)?, number(counts)?))
}

#[track_caller]
fn check_dtype(operation: &str, targets: &Tensor) -> Result<()> {
    let dtype = targets.dtype();
    if dtype != DType::I64 {
        bail!(DType, operation, "targets must be class indices of int64, not of {dtype}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chainrule_tensor::ErrorKind;

    use super::*;

    #[test]
    fn counts_along_the_classes_of_pixels() -> Result<()> {
        // [N, C, L] = [1, 2, 3]: the larger of each column.
        let logits = Tensor::new([[[0.0, 5.0, 1.0], [1.0, 2.0, 3.0]]]);
        assert_eq!(correct(&logits, &Tensor::new([[1, 0, 0]]))?, 2);
        assert_eq!(accuracy(&logits, &Tensor::new([[1, 0, 1]]))?, 1.0);
        Ok(())
    }

    #[test]
    fn takes_the_first_of_equal_logits() -> Result<()> {
        let logits = Tensor::new([[1.0, 1.0]]);
        assert_eq!((correct(&logits, &Tensor::new([0]))?, correct(&logits, &Tensor::new([1]))?), (1, 0));
        Ok(())
    }

    #[test]
    fn no_samples_have_no_accuracy() -> Result<()> {
        let (logits, targets) = (Tensor::zeros([0, 3])?, Tensor::full([0], 0.0, DType::I64)?);
        assert_eq!(correct(&logits, &targets)?, 0);
        assert!(accuracy(&logits, &targets)?.is_nan());
        Ok(())
    }

    #[test]
    fn ignored_targets_do_not_count() -> Result<()> {
        let logits = Tensor::new([[2.0, 1.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]);
        let targets = Tensor::new([0, -100, 1, -100]);
        assert_eq!((correct(&logits, &targets)?, accuracy(&logits, &targets)?), (1, 0.5));
        let first = AccuracyOptions { ignore_index: 0 };
        assert_eq!(accuracy_with(&logits, &Tensor::new([0, 1, 0, 0]), first)?, 1.0);
        assert_eq!(num_targets(&targets, AccuracyOptions::default())?, 2);
        let padding = Tensor::new([-100, -100, -100, -100]);
        assert!(accuracy(&logits, &padding)?.is_nan());
        Ok(())
    }

    #[test]
    fn nan_is_never_right() -> Result<()> {
        let logits = Tensor::new([[f32::NAN, f32::NAN], [f32::NAN, 5.0], [0.0, 1.0]]);
        for target in [0, 1] {
            let right = correct(&logits, &Tensor::new([target, target, 1]))?;
            assert_eq!(right, 1, "target {target}");
        }
        Ok(())
    }

    #[test]
    fn classes_that_do_not_exist_are_refused() -> Result<()> {
        let logits = Tensor::zeros([2, 3])?;
        for wrong in [3, -1, -99, i64::MAX, i64::MIN] {
            let error = accuracy(&logits, &Tensor::new([0, wrong])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Index);
            assert!(error.to_string().contains(&format!("target {wrong} is no class")), "{error}");
        }
        Ok(())
    }

    #[test]
    fn refuses_what_does_not_fit() -> Result<()> {
        let logits = Tensor::zeros([2, 3])?;
        let cases = [
            (Tensor::zeros([3])?, Tensor::new([0]), ErrorKind::Shape, "[3]"),
            (Tensor::zeros([2, 0])?, Tensor::new([0, 0]), ErrorKind::Shape, "[2, 0]"),
            (Tensor::zeros([2, 1])?, Tensor::new([0, 0]), ErrorKind::Shape, "compared with 0"),
            (logits.clone(), Tensor::new([[0], [0]]), ErrorKind::Shape, "[2, 1]"),
            (logits.clone(), Tensor::new([0, 0, 0]), ErrorKind::Shape, "[2, 3]"),
            (logits, Tensor::new([0.0, 1.0]), ErrorKind::DType, "float32"),
        ];
        for (logits, targets, kind, part) in cases {
            let errors = [correct(&logits, &targets).unwrap_err(), accuracy(&logits, &targets).unwrap_err()];
            for error in errors {
                assert_eq!(error.kind(), kind, "{error}");
                assert!(error.to_string().contains(part), "{error}");
            }
        }
        Ok(())
    }
}
