//! Guards hold their setting as long as they live, in whatever order they are dropped.

use chainrule::Tensor;
use chainrule::autograd::{
    GradModeGuard, detect_anomaly, enable_grad, is_grad_enabled, no_grad, no_grad_guard, set_grad_enabled,
};

use super::leaf;

#[test]
fn guards_of_one_kind_may_be_dropped_in_any_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut guards: [Option<GradModeGuard>; 3] = std::array::from_fn(|_| Some(no_grad_guard()));
        for (dropped, i) in order.into_iter().enumerate() {
            assert!(!is_grad_enabled(), "{order:?}: {dropped} guards dropped");
            guards[i] = None;
        }
        assert!(is_grad_enabled() && (leaf(&[1.0]) * 2.0).requires_grad(), "{order:?}");
    }
}

#[test]
fn of_guards_that_differ_the_latest_counts() {
    let off = no_grad_guard();
    let on = set_grad_enabled(true);
    assert!(is_grad_enabled());
    drop(off);
    assert!(is_grad_enabled());
    drop(on);
    assert!(is_grad_enabled());

    let on = set_grad_enabled(true);
    let off = no_grad_guard();
    drop(on);
    assert!(!is_grad_enabled(), "a guard lives that switched recording off");
    no_grad(|| enable_grad(|| assert!(is_grad_enabled())));
    assert!(!is_grad_enabled());
    drop(off);
    assert!(is_grad_enabled());
}

#[test]
fn a_guard_made_inside_a_closure_may_outlive_it() {
    let kept = no_grad(no_grad_guard);
    assert!(!is_grad_enabled());
    drop(kept);
    assert!(is_grad_enabled());
}

#[test]
fn guards_of_anomaly_detection_too() {
    let finds = || Tensor::new([-1.0]).log().is_err();
    let (first, second) = (detect_anomaly(), detect_anomaly());
    assert!(finds());
    drop(first);
    assert!(finds());
    drop(second);
    assert!(!finds());
}
