//! Layers with sizes beyond all memory, or beyond all numbers: refused when they are made, or when they are called.

use chainrule_nn::{AvgPool2d, BatchNorm2d, Conv2d, Embedding, Forward, LayerNorm, Linear, MaxPool2d};
use chainrule_tensor::{ErrorKind, Result, Tensor};

const HUGE: [usize; 6] = [1 << 40, 1 << 62, usize::MAX / 3, usize::MAX / 2, 1 << 63, usize::MAX];

#[track_caller]
fn no_memory<T>(result: Result<T>) {
    let error = result.err().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Memory, "{error}");
    assert_eq!(error.location().unwrap().file(), file!(), "{error}");
}

#[test]
fn weights_that_there_is_no_memory_for() {
    for n in HUGE {
        no_memory(Conv2d::new(n, 1, 1));
        no_memory(Conv2d::new(1, n, 1));
        no_memory(Conv2d::new(n, n, 1));
        no_memory(Conv2d::new(1, 1, n));
        no_memory(Conv2d::new(3, 5, [n, 1]));
        no_memory(Conv2d::builder(n, n, 3).groups(n).build());
        no_memory(Linear::new(n, 1));
        no_memory(Linear::new(1, n));
        no_memory(Linear::new(n, n));
        no_memory(Embedding::new(n, 3));
        no_memory(Embedding::new(3, n));
        no_memory(BatchNorm2d::new(n));
        no_memory(LayerNorm::new([n]));
        no_memory(LayerNorm::new([3, n]));
    }
}

#[test]
fn options_beyond_the_image() {
    let x = Tensor::ones([1, 2, 6, 6]).unwrap();
    for n in HUGE {
        let conv = |option: usize| {
            let builder = Conv2d::builder(2, 3, 3).bias(false);
            let builder = match option {
                0 => builder.stride(n),
                1 => builder.padding([n, 0]),
                _ => builder.dilation([1, n]),
            };
            builder.build().unwrap().forward(&x)
        };
        // One window, whatever the distance to the next would be.
        assert_eq!(*conv(0).unwrap().shape(), [1, 3, 1, 1]);
        assert!(conv(1).is_err() && conv(2).is_err());

        let one = MaxPool2d::builder(2).stride(n).build().unwrap().forward(&x).unwrap();
        assert_eq!(*one.shape(), [1, 2, 1, 1]);
        assert!(MaxPool2d::builder(2).padding(n).build().is_err());
        assert!(MaxPool2d::builder(2).dilation(n).build().unwrap().forward(&x).is_err());
        assert!(MaxPool2d::new(n).unwrap().forward(&x).is_err());
        assert!(AvgPool2d::builder(2).padding(n).build().is_err());
        assert!(AvgPool2d::new([n, 1]).unwrap().forward(&x).is_err());
        let divided = AvgPool2d::builder(2).divisor_override(n).build().unwrap().forward(&x).unwrap();
        let want = (4.0 / n as f64) as f32;
        assert!(divided.to_vec::<f32>().unwrap().iter().all(|&v| v == want), "{divided}");
    }
    // As much padding as may be: every window sees all of the image.
    let half = 1 << 33;
    let max = MaxPool2d::builder(2 * half).stride(1).padding(half).build().unwrap();
    assert_eq!(max.forward(&x).unwrap().to_vec::<f32>().unwrap(), [1.0; 2 * 49]);
}
