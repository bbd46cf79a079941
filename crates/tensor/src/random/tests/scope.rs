//! Another default generator for a while.

use super::Generator;
use crate::Tensor;
use crate::ErrorKind;
use crate::random::{
    default_state, manual_seed, set_default_state, try_with_default, with_default, with_generator, with_seed,
};

fn values(x: crate::Result<Tensor>) -> Vec<f32> {
    x.unwrap().to_vec().unwrap()
}

#[test]
fn everything_draws_from_it_and_it_goes_on() {
    let mut generator = Generator::new(3);
    let drawn = with_generator(&mut generator, || values(Tensor::rand([5])));
    let again = with_generator(&mut generator, || values(Tensor::rand([5])));
    let mut want = [0_f32; 10];
    Generator::new(3).uniform(&mut want, 0.0, 1.0).unwrap();
    assert_eq!([drawn, again].concat(), want);
}

#[test]
fn the_inner_one_counts_and_the_outer_one_comes_back() {
    let (mut outer, mut inner) = (Generator::new(1), Generator::new(2));
    let drawn = with_generator(&mut outer, || {
        let inside = with_generator(&mut inner, || with_default(|g| g.random()));
        [inside, with_default(|g| g.random())]
    });
    assert_eq!(drawn, [Generator::new(2).random(), Generator::new(1).random()]);
}

#[test]
fn a_panic_leaves_it_where_it_was() {
    let mut generator = Generator::new(4);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        with_generator(&mut generator, || {
            with_default(|g| g.random());
            panic!("inside");
        })
    }));
    assert!(panicked.is_err());
    let mut want = Generator::new(4);
    want.random();
    assert_eq!(generator.state(), want.state());
}

#[test]
fn other_threads_do_not_notice() {
    let mut generator = Generator::new(5);
    let before = generator.state();
    with_generator(&mut generator, || {
        std::thread::spawn(|| with_generator(&mut Generator::new(6), || values(Tensor::rand([1]))))
            .join()
            .unwrap()
    });
    assert_eq!(generator.state(), before);
}

#[test]
fn a_closure_that_asks_for_the_generator_it_has_is_told_so() {
    let refused = || {
        let error = Tensor::rand([2]).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Value, "rand"));
        assert!(error.message().contains("with_default"), "{error}");
        assert!(try_with_default(|_| ()).is_err());
        assert!(std::panic::catch_unwind(|| with_default(|g| g.random())).is_err());
    };
    // The process-wide one.
    with_default(|generator| {
        refused();
        let state = generator.state();
        assert!(set_default_state(&state).is_err());
        assert!(std::panic::catch_unwind(|| manual_seed(1)).is_err());
        // Another one may be used meanwhile; the process-wide one stays where it is.
        let drawn = with_generator(&mut Generator::new(6), || {
            assert!(std::panic::catch_unwind(|| manual_seed(1)).is_err());
            with_default(|g| g.random())
        });
        assert_eq!(drawn, Generator::new(6).random());
        assert_eq!(generator.state(), state);
        refused();
    });
    // One of a scope, which goes on where it was.
    let mut generator = Generator::new(7);
    with_generator(&mut generator, || {
        with_default(|_| refused());
        with_default(|g| g.random());
    });
    let mut want = Generator::new(7);
    want.random();
    assert_eq!(generator.state(), want.state());
}

#[test]
fn a_seed_stands_for_its_generator() {
    let mut generator = Generator::new(1);
    let drawn = with_generator(&mut generator, || {
        let inside = with_seed(2, || [values(Tensor::rand([3])), values(Tensor::rand([2]))].concat());
        (inside, with_default(|g| g.random()))
    });
    let mut want = [0_f32; 5];
    Generator::new(2).uniform(&mut want, 0.0, 1.0).unwrap();
    assert_eq!(drawn, (want.to_vec(), Generator::new(1).random()));
    // Where nothing is drawn, nothing changes.
    let before = default_state();
    with_seed(3, || ());
    assert!(std::panic::catch_unwind(|| with_seed(4, || panic!("inside"))).is_err());
    with_default(|g| assert_eq!(g.state().seed, before.seed));
}
