//! Single values: notation, digits, width.

use super::{float32, float64, halves, int64};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[test]
fn scalars_and_vectors() {
    float32([], [1.1087]).prints("tensor(1.1087)");
    float32([], [1.0]).prints("tensor(1.)");
    float32([], [0.0]).prints("tensor(0.)");
    float32([], [-0.0]).prints("tensor(-0.)");
    float32([], [NAN]).prints("tensor(nan)");
    float32([], [-INF]).prints("tensor(-inf)");
    float32([], [1e-05]).prints("tensor(1.0000e-05)");
    float32([], [123456789.0]).prints("tensor(1.2346e+08)");
    float32([], [100000000.0]).prints("tensor(100000000.)");
    float32([1], [0.5]).prints("tensor([0.5000])");
    float32([1, 1, 1], [0.5]).prints("tensor([[[0.5000]]])");
    float32([2], [1.1087, 0.9329]).prints("tensor([1.1087, 0.9329])");
    float32([2], [1.0, 2.0]).prints("tensor([1., 2.])");
    float32([3], [-1.0, 20.0, 300.0]).prints("tensor([ -1.,  20., 300.])");
    float32([3], [0.0, 0.0, 0.0]).prints("tensor([0., 0., 0.])");
    float32([2], [-0.0, 1.0]).prints("tensor([-0., 1.])");
    float32([3], [-0.25, 0.0, 1.5]).prints("tensor([-0.2500,  0.0000,  1.5000])");
    float32([3], [0.03125, 0.09375, 0.15625]).prints("tensor([0.0312, 0.0938, 0.1562])");
    float32([2], [99999.5, 0.25]).prints("tensor([1.0000e+05, 2.5000e-01])");
    float32([2], [1.0, 1000.0]).prints("tensor([   1., 1000.])");
    float32([2], [1.0, 1001.0]).prints("tensor([1.0000e+00, 1.0010e+03])");
    float64([2], [0.1, 100.0]).prints("tensor([  0.1000, 100.0000], dtype=torch.float64)");
    float64([2], [0.1, 100.5]).prints("tensor([1.0000e-01, 1.0050e+02], dtype=torch.float64)");
}

#[test]
fn notation() {
    float32([2], [1e-05, 1.0]).prints("tensor([1.0000e-05, 1.0000e+00])");
    float64([2], [0.0001, 0.0002]).prints("tensor([0.0001, 0.0002], dtype=torch.float64)");
    float32([2], [9e-05, 2e-05]).prints("tensor([9.0000e-05, 2.0000e-05])");
    float32([2], [100000000.0, 1000000.0]).prints("tensor([100000000.,   1000000.])");
    float32([2], [200000000.0, 1000000.0]).prints("tensor([2.0000e+08, 1.0000e+06])");
    float32([2], [10000000000.0, -10000000000.0]).prints("tensor([ 1.0000e+10, -1.0000e+10])");
    float32([3], [1e-30, 1e30, 0.0]).prints("tensor([1.0000e-30, 1.0000e+30, 0.0000e+00])");
    float64([2], [1e-200, 1e200]).prints("tensor([1.0000e-200, 1.0000e+200], dtype=torch.float64)");
    float32([4], [-1.5e-07, 2.5e-07, INF, NAN])
        .prints("tensor([-1.5000e-07,  2.5000e-07,         inf,         nan])");
    float32([2], [12345678.0, 87654321.0]).prints("tensor([12345678., 87654320.])");
    float64([2], [3.0, 5000000.5]).prints("tensor([3.0000e+00, 5.0000e+06], dtype=torch.float64)");
    float32([1], [9.99999e-05]).prints("tensor([1.0000e-04])");
    float32([2], [0.0, 1e-06]).prints("tensor([0.0000e+00, 1.0000e-06])");
    float64([2], [99999999.0, 1.0]).prints("tensor([1.0000e+08, 1.0000e+00], dtype=torch.float64)");
}

#[test]
fn not_finite() {
    float32([2], [NAN, 1.5]).prints("tensor([   nan, 1.5000])");
    float32([2], [NAN, 1.0]).prints("tensor([nan, 1.])");
    float32([3], [INF, -INF, NAN]).prints("tensor([inf, -inf, nan])");
    float32([2], [1.0, INF]).prints("tensor([1., inf])");
    float32([2], [-INF, 100.0]).prints("tensor([-inf, 100.])");
    float32([2, 2], [NAN, 0.0, -INF, 1e-09]).prints(
        "tensor([[       nan, 0.0000e+00],
        [      -inf, 1.0000e-09]])",
    );
    float64([2], [NAN, NAN]).prints("tensor([nan, nan], dtype=torch.float64)");
}

#[test]
fn precision() {
    float32([2], [1.1087, 0.9329]).precision(2).prints("tensor([1.11, 0.93])");
    float64([2], [1.1087, 0.9329])
        .precision(10)
        .prints("tensor([1.1087000000, 0.9329000000], dtype=torch.float64)");
    float32([3], [0.5, 1.5, 2.5]).precision(0).prints("tensor([0, 2, 2])");
    float32([2], [1e-07, 1.0]).precision(2).prints("tensor([1.00e-07, 1.00e+00])");
    float32([2], [1e-07, 2.5]).precision(0).prints("tensor([1e-07, 2e+00])");
    float32([2], [1.0, 2.0]).precision(6).prints("tensor([1., 2.])");
    float32([2], [0.125, 0.375]).precision(2).prints("tensor([0.12, 0.38])");
    float32([25], halves(25)).precision(1).prints(
        "tensor([ 0.0,  0.5,  1.0,  1.5,  2.0,  2.5,  3.0,  3.5,  4.0,  4.5,  5.0,  5.5,
         6.0,  6.5,  7.0,  7.5,  8.0,  8.5,  9.0,  9.5, 10.0, 10.5, 11.0, 11.5,
        12.0])",
    );
    int64([], [3]).precision(2).prints("tensor(3)");
}
