//! Integers near their ends, and sizes that no tensor has.

use chainrule_tensor::random::{
    Generator, default_state, manual_seed, set_default_state, with_default, with_generator,
};
use chainrule_tensor::{ErrorKind, Result, Shape, Tensor};

/// Integers wrap around, modulo 2⁶⁴, as PyTorch's do. The powers are Python's `pow(a, n, 2**64)`.
#[test]
fn powers_wrap_for_every_exponent() -> Result<()> {
    let cases = [
        (5, (1 << 32) + 1, -9_062_719_730_040_700_923),
        (3, i64::MAX, -6_148_914_691_236_517_205),
        (-7, (1 << 40) + 3, -1_491_931_725_775_765_847),
        (2, 64, 0),
        (2, 1 << 33, 0),
        (-1, i64::MAX, -1),
        (1, i64::MAX, 1),
        (0, 1 << 40, 0),
        (i64::MIN, 0, 1),
    ];
    for (base, exponent, wanted) in cases {
        assert_eq!(Tensor::new([base]).pow(exponent)?.to_vec::<i64>()?, [wanted], "{base}^{exponent}");
        let exponents = Tensor::new([exponent]);
        assert_eq!(Tensor::new([base]).pow(&exponents)?.to_vec::<i64>()?, [wanted], "{base}^[{exponent}]");
    }
    // 1 / aⁿ, cut off towards zero.
    let bases = Tensor::new([1, -1, -1, 5, i64::MIN]);
    let powers = bases.pow(&Tensor::new([i64::MIN, i64::MIN, -3, -(1 << 40), -1]))?;
    assert_eq!(powers.to_vec::<i64>()?, [1, 1, -1, 0, 0]);
    Ok(())
}

/// With overflow checks on, as in tests, arithmetic that does not wrap panics.
#[test]
fn arithmetic_wraps() -> Result<()> {
    let ends = Tensor::new([i64::MAX, i64::MIN]);
    assert_eq!(ends.add(1)?.to_vec::<i64>()?, [i64::MIN, i64::MIN + 1]);
    assert_eq!(ends.mul(2)?.to_vec::<i64>()?, [-2, 0]);
    assert_eq!(ends.neg()?.to_vec::<i64>()?, [-i64::MAX, i64::MIN]);
    assert_eq!(ends.abs()?.to_vec::<i64>()?, [i64::MAX, i64::MIN]);
    assert_eq!(ends.square()?.to_vec::<i64>()?, [1, 0]);
    assert_eq!(ends.remainder(-1)?.to_vec::<i64>()?, [0, 0]);
    assert_eq!(Tensor::new([i64::MAX, i64::MAX]).sum()?.to_scalar::<i64>()?, -2);
    assert_eq!(Tensor::new([i64::MAX, 2]).prod()?.to_scalar::<i64>()?, -2);
    assert_eq!(Tensor::new([i64::MAX, 1]).cumsum(0)?.to_vec::<i64>()?, [i64::MAX, i64::MIN]);
    Ok(())
}

#[test]
fn a_size_beyond_all_tensors_is_not_minus_one() -> Result<()> {
    let x = Tensor::ones([2, 3])?;
    for size in [usize::MAX, usize::MAX - 1, 1 << 63] {
        assert!(x.reshape([size]).is_err(), "{size}");
        assert!(x.reshape([2, size]).is_err(), "{size}");
        assert!(x.expand([size]).is_err(), "{size}");
        assert!(x.expand([size, 3]).is_err(), "{size}");
        assert!(x.reshape(Shape::from([size])).is_err(), "{size}");
    }
    assert_eq!(x.reshape([-1])?.shape(), &[6]);
    Ok(())
}

#[test]
fn shapes_refuse_dimensions_that_they_do_not_have() -> Result<()> {
    let shape = Shape::from([2, 3]);
    for dim in [2, 3, usize::MAX] {
        assert_eq!(shape.with_size(dim, 1).unwrap_err().kind(), ErrorKind::Index);
        assert_eq!(shape.without(dim).unwrap_err().kind(), ErrorKind::Index);
        assert_eq!(shape.around(dim).unwrap_err().kind(), ErrorKind::Index);
    }
    assert!(
        shape
            .with_inserted(3, 1)
            .unwrap_err()
            .to_string()
            .contains("dimension 3 is out of range for shape [2, 3]")
    );
    assert_eq!(shape.with_inserted(2, 5)?, [2, 3, 5]);
    assert_eq!((shape.with_size(1, 7)?, shape.without(0)?), (Shape::from([2, 7]), Shape::from([3])));
    assert_eq!((shape.around(1)?, Shape::from([]).around(0)?), ([2, 3, 1], [1, 1, 1]));
    assert_eq!(Shape::from([usize::MAX, 2]).numel(), usize::MAX);
    assert_eq!(Shape::from([usize::MAX, usize::MAX, 0]).numel(), 0);
    Ok(())
}

/// What asks for the default generator from within a closure that has it would wait for itself.
#[test]
fn a_generator_in_use_is_no_deadlock() {
    let refused = |result: Result<Tensor>| result.unwrap_err().to_string().contains("in use");
    with_default(|_| {
        assert!(refused(Tensor::rand([1])));
        assert!(set_default_state(&Generator::new(0).state()).unwrap_err().contains("in use"));
        assert!(std::panic::catch_unwind(default_state).is_err());
        assert!(std::panic::catch_unwind(|| manual_seed(0)).is_err());
        // Another generator is free.
        with_generator(&mut Generator::new(0), || assert!(Tensor::rand([1]).is_ok()));
    });
    let mut own = Generator::new(0);
    with_generator(&mut own, || {
        with_default(|_| {
            assert!(refused(Tensor::rand([1])));
            with_generator(&mut Generator::new(0), || assert!(Tensor::rand([1]).is_ok()));
        });
        assert!(Tensor::rand([1]).is_ok());
    });
    assert!(Tensor::rand([1]).is_ok());
}
