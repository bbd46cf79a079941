//! Padding in every mode.

use chainrule_tensor::{PadMode, Tensor};

use crate::{Picks, Want, check, check_gradients, compared, numbers, tensor};

const PADS: [isize; 14] =
    [0, 1, 2, -1, -2, 3, 4, -7, 500, 1 << 33, 1 << 62, -(1 << 62), isize::MAX, isize::MIN];

const MODES: [PadMode; 4] = [PadMode::Constant(2.5), PadMode::Reflect, PadMode::Replicate, PadMode::Circular];

/// The size after padding, as 128 bits, or `None` where the mode has nothing to fill with or more is taken than there is.
fn padded(n: usize, [before, after]: [isize; 2], mode: PadMode) -> Option<i128> {
    let (n, before, after) = (n as i128, before as i128, after as i128);
    let left = n + before.min(0) + after.min(0);
    let most = match mode {
        PadMode::Constant(_) => i128::MAX,
        PadMode::Reflect => n - 1,
        PadMode::Replicate => i128::MAX,
        PadMode::Circular => left,
    };
    (left >= 0 && before.max(after) <= most.max(0)).then_some(n + before + after)
}

/// The element that is at a place after padding; `None` for the constant.
fn source(n: usize, [before, after]: [isize; 2], place: usize, mode: PadMode) -> Option<usize> {
    let (n, at) = (n as isize, place as isize - before);
    let (first, end) = (-before.min(0), n + after.min(0));
    let at = match mode {
        PadMode::Constant(_) => return (first..end).contains(&at).then_some(at as usize),
        PadMode::Reflect if at < 0 => -at,
        PadMode::Reflect if at >= n => 2 * (n - 1) - at,
        PadMode::Reflect => at,
        PadMode::Replicate => at.max(0).min(n - 1),
        // Pieces of what is left, side by side.
        PadMode::Circular => (-2..3).map(|k| at + k * (end - first)).find(|at| (first..end).contains(at))?,
    };
    Some(at as usize)
}

fn pad(shape: [usize; 2], rows: [isize; 2], columns: [isize; 2], mode: PadMode) {
    let what = || format!("{shape:?} {rows:?} {columns:?} {mode:?}");
    let x = numbers(shape[0] * shape[1], 1);
    let leaf = tensor(&x, &shape).unwrap();
    let call = || leaf.pad([columns[0], columns[1], rows[0], rows[1]], mode);
    let sizes = padded(shape[0], rows, mode).zip(padded(shape[1], columns, mode));
    let Some((height, width)) = sizes else {
        compared(&Want::Error, "pad", call);
        return;
    };
    if [height, width].iter().any(|&n| n > isize::MAX as i128) {
        compared(&Want::NoMemory, "pad", call);
        return;
    }
    // Also of an empty tensor no size may be beyond all addresses.
    let elements = if height * width == 0 { height.max(width) } else { height * width };
    if height * width == 0 && elements > 1 << 20 {
        return;
    }
    let Some(output) = compared(&Want::of_size(elements as u128), "pad", call) else { return };
    let (height, width) = (height as usize, width as usize);
    assert_eq!(*output.shape(), [height, width], "{}", what());
    let grad = numbers(height * width, 2);
    let mut grad_x = vec![0.0; x.len()];
    let mut want = Vec::with_capacity(grad.len());
    for row in 0..height {
        for column in 0..width {
            let place = source(shape[0], rows, row, mode).zip(source(shape[1], columns, column, mode));
            want.push(place.map_or(2.5, |(y, x_)| x[y * shape[1] + x_]));
            if let Some((y, x)) = place {
                grad_x[y * shape[1] + x] += grad[row * width + column];
            }
        }
    }
    check(&output.to_vec::<f64>().unwrap(), &want, &what);
    check_gradients(&output, &grad, &[(&leaf, &grad_x)], &what);
}

#[test]
fn every_padding_of_one_dimension() {
    for mode in MODES {
        for before in PADS {
            for after in PADS {
                for n in [1, 4] {
                    pad([2, n], [0, 0], [before, after], mode);
                }
            }
        }
    }
}

#[test]
fn any_padding_of_two_dimensions() {
    let mut picks = Picks(5);
    for _ in 0..2000 {
        let mut pair = || if picks.below(2) == 0 { [picks.of(&PADS), picks.of(&PADS)] } else { [1, -1] };
        let (rows, columns) = (pair(), pair());
        pad([3, 4], rows, columns, picks.of(&MODES));
    }
}

/// A view takes no memory, its copy does.
#[test]
fn views_without_memory_of_their_own() {
    let view = Tensor::ones([1]).unwrap().expand([1isize << 44]).unwrap();
    for mode in MODES {
        let error = view.pad([1, 1], mode).unwrap_err();
        assert_eq!(error.kind(), chainrule_tensor::ErrorKind::Memory, "{error}");
    }
}
