//! How often a classifier is right.

use chainrule_tensor::{DType, Result, Tensor, bail};

/// The number of samples whose largest logit is that of their target.
///
/// `logits` are `[N, C]` or `[N, C, d1, …]`, of any dtype but `bool`: scores of C classes, or their
/// probabilities. `targets` are class indices, `i64` in the shape of the logits without C. Of equal largest
/// logits the first counts. The counterpart of `(torch.max(logits, 1)[1] == targets).sum().item()`.
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
/// For logits of fewer than two dimensions, without classes, or of `bool`, and for targets that are not `i64`
/// or of another shape.
#[track_caller]
pub fn correct(logits: &Tensor, targets: &Tensor) -> Result<usize> {
    check("correct", logits, targets)?;
    let right = logits.argmax_dim(1, false)?.eq(targets)?.sum()?;
    Ok(right.to_scalar::<i64>()? as usize)
}

/// The part of the samples whose largest logit is that of their target, from 0 to 1: [`correct`] divided by the
/// number of targets. NaN where there are none.
///
/// ```
/// # use chainrule_tensor::{Result, Tensor};
/// # use chainrule_train::accuracy;
/// # fn main() -> Result<()> {
/// let out = Tensor::new([[0.03, 0.12, 0.85], [0.01, 0.9, 0.09], [0.95, 0.01, 0.04], [0.09, 0.9, 0.01]]);
/// assert_eq!(accuracy(&out, &Tensor::new([2, 1, 1, 1]))?, 0.75);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`correct`].
#[track_caller]
pub fn accuracy(logits: &Tensor, targets: &Tensor) -> Result<f64> {
    check("accuracy", logits, targets)?;
    Ok(correct(logits, targets)? as f64 / targets.numel() as f64)
}

#[track_caller]
fn check(operation: &str, logits: &Tensor, targets: &Tensor) -> Result<()> {
    let (shape, dtype) = (logits.shape(), targets.dtype());
    if shape.len() < 2 {
        bail!(Shape, operation, "logits must be [N, C] or [N, C, d1, …], not of shape {shape}");
    }
    if shape[1] == 0 {
        bail!(Shape, operation, "logits of shape {shape} have no classes to choose from");
    }
    if dtype != DType::I64 {
        bail!(DType, operation, "targets must be class indices of int64, not of {dtype}");
    }
    // Not left to broadcasting, which would count [N, 1] targets N times.
    if targets.shape()[..] != [&shape[..1], &shape[2..]].concat() {
        bail!(
            Shape,
            operation,
            "targets of shape {} do not fit logits of shape {shape}: they must have its sizes without the second",
            targets.shape()
        );
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
    fn refuses_what_does_not_fit() -> Result<()> {
        let logits = Tensor::zeros([2, 3])?;
        let cases = [
            (Tensor::zeros([3])?, Tensor::new([0]), ErrorKind::Shape, "[3]"),
            (Tensor::zeros([2, 0])?, Tensor::new([0, 0]), ErrorKind::Shape, "[2, 0]"),
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
