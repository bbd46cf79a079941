//! What follows the values, and empty tensors.

use super::{bool, float32, float64, halves, int64};

#[test]
fn empty() {
    float32([0], []).prints("tensor([])");
    float32([0, 3], []).prints("tensor([], size=(0, 3))");
    float32([2, 0], []).prints("tensor([], size=(2, 0))");
    float64([0], []).prints("tensor([], dtype=torch.float64)");
    int64([0], []).prints("tensor([], dtype=torch.int64)");
    int64([0, 3], []).prints("tensor([], size=(0, 3), dtype=torch.int64)");
    bool([0], []).prints("tensor([], dtype=torch.bool)");
    float64([3, 0, 4], [])
        .autograd("requires_grad=True")
        .prints("tensor([], size=(3, 0, 4), dtype=torch.float64, requires_grad=True)");
    float32([0], []).autograd("requires_grad=True").prints("tensor([], requires_grad=True)");
}

#[test]
fn suffixes() {
    float64([2], [1.5, 2.5]).prints("tensor([1.5000, 2.5000], dtype=torch.float64)");
    float64([], [1.5]).prints("tensor(1.5000, dtype=torch.float64)");
    float32([2], [1.5, 2.5])
        .autograd("requires_grad=True")
        .prints("tensor([1.5000, 2.5000], requires_grad=True)");
    float64([2], [1.5, 2.5])
        .autograd("requires_grad=True")
        .prints("tensor([1.5000, 2.5000], dtype=torch.float64, requires_grad=True)");
    float32([2], [1.6487212181091309, 4.481688976287842])
        .autograd("grad_fn=<ExpBackward0>")
        .prints("tensor([1.6487, 4.4817], grad_fn=<ExpBackward0>)");
    float64([2, 2], [0.4621171572600098, 0.9051482536448664, 0.9866142981514303, 0.9981778976111987])
        .autograd("grad_fn=<TanhBackward0>")
        .prints(
            "tensor([[0.4621, 0.9051],
        [0.9866, 0.9982]], dtype=torch.float64, grad_fn=<TanhBackward0>)",
        );
    float32([], [6.0]).autograd("grad_fn=<MulBackward0>").prints("tensor(6., grad_fn=<MulBackward0>)");
    float64([4], [0.5, 1.5, 2.5, 3.5]).autograd("requires_grad=True").prints(
        "tensor([0.5000, 1.5000, 2.5000, 3.5000], dtype=torch.float64,
       requires_grad=True)",
    );
    float64([5], [0.5, 1.5, 2.5, 3.5, 4.5]).autograd("requires_grad=True").prints(
        "tensor([0.5000, 1.5000, 2.5000, 3.5000, 4.5000], dtype=torch.float64,
       requires_grad=True)",
    );
    float64([6], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]).autograd("requires_grad=True").prints(
        "tensor([0.5000, 1.5000, 2.5000, 3.5000, 4.5000, 5.5000], dtype=torch.float64,
       requires_grad=True)",
    );
    float64([7], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]).autograd("requires_grad=True").prints(
        "tensor([0.5000, 1.5000, 2.5000, 3.5000, 4.5000, 5.5000, 6.5000],
       dtype=torch.float64, requires_grad=True)",
    );
    float64([8], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]).autograd("requires_grad=True").prints(
        "tensor([0.5000, 1.5000, 2.5000, 3.5000, 4.5000, 5.5000, 6.5000, 7.5000],
       dtype=torch.float64, requires_grad=True)",
    );
    float32([5], [0.5, 2.5, 4.5, 6.5, 8.5])
        .autograd("grad_fn=<MulBackward0>")
        .prints("tensor([0.5000, 2.5000, 4.5000, 6.5000, 8.5000], grad_fn=<MulBackward0>)");
    float32([6], [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]).autograd("grad_fn=<MulBackward0>").prints(
        "tensor([ 0.5000,  2.5000,  4.5000,  6.5000,  8.5000, 10.5000],
       grad_fn=<MulBackward0>)",
    );
    float32([7], [0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5]).autograd("grad_fn=<MulBackward0>").prints(
        "tensor([ 0.5000,  2.5000,  4.5000,  6.5000,  8.5000, 10.5000, 12.5000],
       grad_fn=<MulBackward0>)",
    );
    float32([2, 6], [0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5, 16.5, 18.5, 20.5, 22.5])
        .autograd("grad_fn=<MulBackward0>")
        .prints(
            "tensor([[ 0.5000,  2.5000,  4.5000,  6.5000,  8.5000, 10.5000],
        [12.5000, 14.5000, 16.5000, 18.5000, 20.5000, 22.5000]],
       grad_fn=<MulBackward0>)",
        );
    float32([2, 7], [0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5, 16.5, 18.5, 20.5, 22.5, 24.5, 26.5])
        .autograd("grad_fn=<MulBackward0>")
        .prints(
            "tensor([[ 0.5000,  2.5000,  4.5000,  6.5000,  8.5000, 10.5000, 12.5000],
        [14.5000, 16.5000, 18.5000, 20.5000, 22.5000, 24.5000, 26.5000]],
       grad_fn=<MulBackward0>)",
        );
    float64([20], halves(20)).autograd("requires_grad=True").prints(
        "tensor([0.0000, 0.5000, 1.0000, 1.5000, 2.0000, 2.5000, 3.0000, 3.5000, 4.0000,
        4.5000, 5.0000, 5.5000, 6.0000, 6.5000, 7.0000, 7.5000, 8.0000, 8.5000,
        9.0000, 9.5000], dtype=torch.float64, requires_grad=True)",
    );
    float64([1, 8], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]).autograd("requires_grad=True").prints(
        "tensor([[0.5000, 1.5000, 2.5000, 3.5000, 4.5000, 5.5000, 6.5000, 7.5000]],
       dtype=torch.float64, requires_grad=True)",
    );
    float32(
        [2, 10],
        [
            10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0,
            26.0, 27.0, 28.0, 29.0,
        ],
    )
    .autograd("requires_grad=True")
    .prints(
        "tensor([[10., 11., 12., 13., 14., 15., 16., 17., 18., 19.],
        [20., 21., 22., 23., 24., 25., 26., 27., 28., 29.]],
       requires_grad=True)",
    );
    float32(
        [2, 9],
        [
            10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0,
            26.0, 27.0,
        ],
    )
    .autograd("requires_grad=True")
    .prints(
        "tensor([[10., 11., 12., 13., 14., 15., 16., 17., 18.],
        [19., 20., 21., 22., 23., 24., 25., 26., 27.]], requires_grad=True)",
    );
}
