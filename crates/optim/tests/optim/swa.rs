//! SWALR against PyTorch's numbers.

use chainrule_optim::*;

use crate::parameter;

/// The learning rates of two groups, which are 1 and 0.3 at first; `change` sets both to a half after an epoch.
fn curve(schedule: SWALRSchedule, epochs: usize, change: Option<usize>) -> Vec<[f64; 2]> {
    let group = |lr| ParamGroup::new([parameter(1, 1)], SgdOptions { lr, ..Default::default() });
    let mut optimizer = Sgd::with_groups([group(1.0), group(0.3)]).unwrap();
    let mut scheduler = SWALR::with_schedule(&mut optimizer, schedule).unwrap();
    let mut curve = Vec::new();
    for epoch in 0..epochs {
        curve.push([optimizer.lr(0).unwrap(), optimizer.lr(1).unwrap()]);
        if change == Some(epoch) {
            (0..2).for_each(|g| optimizer.set_lr(g, 0.5).unwrap());
        }
        scheduler.step(&mut optimizer).unwrap();
    }
    curve
}

#[track_caller]
fn same(got: &[[f64; 2]], want: &[[f64; 2]]) {
    let near = |(g, w): (&[f64; 2], &[f64; 2])| (0..2).all(|i| (g[i] - w[i]).abs() < 1e-14);
    assert!(got.len() == want.len() && got.iter().zip(want).all(near), "{got:?} instead of {want:?}");
}

#[test]
fn the_way_is_that_of_pytorch() {
    let cosine = SWALRSchedule { anneal_epochs: 5, ..SWALRSchedule::new(0.2) };
    let want = [
        [1.0, 0.3],
        [0.923606797749979, 0.2904508497187474],
        [0.7236067977499789, 0.2654508497187474],
        [0.476393202250021, 0.23454915028125262],
        [0.27639320225002106, 0.20954915028125265],
        [0.2, 0.2],
        [0.2, 0.2],
    ];
    same(&curve(cosine, 7, None), &want);
    let linear = |anneal_epochs| SWALRSchedule {
        anneal_epochs,
        anneal_strategy: AnnealStrategy::Linear,
        ..SWALRSchedule::new([0.2, 0.2])
    };
    let want = [[1.0, 0.3], [0.8, 0.275], [0.4, 0.4], [0.3, 0.3], [0.2, 0.2], [0.2, 0.2]];
    same(&curve(linear(4), 6, Some(1)), &want);
    same(&curve(linear(0), 3, None), &[[0.2, 0.2]; 3]);
}

#[test]
fn options_out_of_range_are_refused() {
    let mut optimizer = Sgd::new([parameter(1, 1)], SgdOptions::default()).unwrap();
    let error = SWALR::new(&mut optimizer, -0.5).unwrap_err().to_string();
    assert!(error.contains("SWALR") && error.contains("swa_lr") && error.contains("-0.5"), "{error}");
    let error = SWALR::new(&mut optimizer, [0.1, 0.2]).unwrap_err().to_string();
    assert!(error.contains("swa_lr has 2 values for 1 parameter groups"), "{error}");
}
