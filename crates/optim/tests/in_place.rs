//! Updates happen in place. A test program of its own, because the count of copies is that of the whole process.

use chainrule_optim::*;
use chainrule_tensor::{Parameter, Tensor, copies_on_write};

#[test]
fn values_are_updated_in_place_while_the_loss_is_alive() {
    let w = Parameter::new(Tensor::new([
        [0.1f32, -0.2, 0.3],
        [0.4, 0.5, -0.6],
        [0.7, -0.8, 0.9],
        [1.0, 0.2, 0.1],
    ]))
    .unwrap();
    let b = Parameter::new(Tensor::new([0.5f32, -0.5, 0.25])).unwrap();
    let x = Tensor::new([[1.0f32, -2.0, 3.0, 0.5], [0.25, 1.5, -1.0, 2.0]]);
    let mut optimizer = Adam::new([w.clone(), b.clone()], AdamOptions::default()).unwrap();
    let before = copies_on_write();
    for _ in 0..4 {
        optimizer.zero_grad();
        let y = x.matmul(&w.tensor()).unwrap().add(&b.tensor()).unwrap();
        let loss = y.mul(&y).unwrap().mean().unwrap();
        loss.backward().unwrap();
        let address = w.tensor().as_slice::<f32>().unwrap().as_ptr();
        assert_eq!(optimizer.step().unwrap().updated, 2);
        assert_eq!(w.tensor().as_slice::<f32>().unwrap().as_ptr(), address);
        assert!(loss.item().unwrap() > 0.0);
    }
    assert_eq!(copies_on_write() - before, 0);

    let kept = w.tensor();
    let values = kept.to_vec::<f32>().unwrap();
    optimizer.step().unwrap();
    assert_eq!(copies_on_write() - before, 1, "a value that somebody keeps is copied");
    assert_eq!(kept.to_vec::<f32>().unwrap(), values);
    assert_ne!(w.tensor().to_vec::<f32>().unwrap(), values);
}
