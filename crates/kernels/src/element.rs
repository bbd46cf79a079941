//! The numbers that kernels work on: [`Element`], [`Number`], [`Float`].

use std::fmt::Debug;

use crate::math;
use crate::simd::{self, Kernel};

/// What only this crate can implement, because unsafe code trusts its implementations.
mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for i64 {}
    impl Sealed for bool {}
}

/// A value that a tensor can hold: `f32`, `f64`, `i64` or `bool`, and no other type.
pub trait Element:
    sealed::Sealed + Copy + Send + Sync + Default + PartialEq + PartialOrd + Debug + 'static
{
    /// Whether every bit pattern is a valid value, so that recycled memory of any kind can be handed out
    /// as it is. False for `bool` only.
    const ANY_BITS: bool;
    /// What fresh memory is filled with when debug assertions are on, to make a kernel that forgets to
    /// write part of its output fail loudly.
    const POISON: Self;
    /// Additive identity (`false` for `bool`).
    const ZERO: Self;
    /// Multiplicative identity (`true` for `bool`).
    const ONE: Self;

    /// Runs a kernel over elements of this type at the best instruction set that it is compiled for: `f32` for
    /// every set, `f64` for those up to AVX2, the others for the baseline alone.
    #[inline(always)]
    fn run<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }
}

impl Element for f32 {
    const ANY_BITS: bool = true;
    const POISON: f32 = f32::NAN;
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;

    #[inline(always)]
    fn run<K: Kernel>(kernel: K) -> K::Output {
        simd::run(kernel)
    }
}

impl Element for f64 {
    const ANY_BITS: bool = true;
    const POISON: f64 = f64::NAN;
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;

    #[inline(always)]
    fn run<K: Kernel>(kernel: K) -> K::Output {
        simd::run_to_avx2(kernel)
    }
}

impl Element for i64 {
    const ANY_BITS: bool = true;
    const POISON: i64 = i64::MIN + 0xDEAD;
    const ZERO: i64 = 0;
    const ONE: i64 = 1;
}

impl Element for bool {
    const ANY_BITS: bool = false;
    const POISON: bool = true;
    const ZERO: bool = false;
    const ONE: bool = true;
}

/// Arithmetic with the rules of a tensor: integers wrap, `bool` addition is *or*, multiplication is *and*.
pub trait Number: Element {
    /// a + b
    fn add(self, b: Self) -> Self;
    /// a − b (for `bool`: exclusive or; the tensor operation refuses it before it gets here)
    fn sub(self, b: Self) -> Self;
    /// a · b
    fn mul(self, b: Self) -> Self;
    /// Whether this is a NaN; never for integers and booleans.
    fn is_nan(self) -> bool;
    /// The larger of the two; a NaN wins, as in PyTorch.
    #[inline(always)]
    fn maximum(self, b: Self) -> Self {
        if self > b || self.is_nan() { self } else { b }
    }
    /// The smaller of the two; a NaN wins, as in PyTorch.
    #[inline(always)]
    fn minimum(self, b: Self) -> Self {
        if self < b || self.is_nan() { self } else { b }
    }
    /// The value as an `f64`.
    fn to_f64(self) -> f64;
    /// The nearest value of this type (truncating towards zero for integers, non-zero for `bool`).
    fn from_f64(x: f64) -> Self;
}

macro_rules! number {
    ($t:ty, add: $add:expr, sub: $sub:expr, mul: $mul:expr, nan: $nan:expr, to: $to:expr, from: $from:expr) => {
        impl Number for $t {
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                $add(self, b)
            }
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                $sub(self, b)
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                $mul(self, b)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $nan(self)
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                $to(self)
            }
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                $from(x)
            }
        }
    };
}

number!(f32, add: |a, b| a + b, sub: |a, b| a - b, mul: |a, b| a * b, nan: f32::is_nan,
    to: f64::from, from: |x| x as f32);
number!(f64, add: |a, b| a + b, sub: |a, b| a - b, mul: |a, b| a * b, nan: f64::is_nan,
    to: |x| x, from: |x| x);
number!(i64, add: i64::wrapping_add, sub: i64::wrapping_sub, mul: i64::wrapping_mul, nan: |_| false,
    to: |x| x as f64, from: |x| x as i64);
number!(bool, add: |a, b| a | b, sub: |a, b| a ^ b, mul: |a, b| a & b, nan: |_| false,
    to: |x| if x { 1.0 } else { 0.0 }, from: |x| x != 0.0);

/// A floating-point number with the functions that element-wise kernels are written in.
///
/// Every element-wise operation is written once, over this trait, and compiled for each float type and
/// each instruction set.
pub trait Float:
    Number
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Neg<Output = Self>
    + std::ops::AddAssign
    + std::ops::SubAssign
    + std::ops::MulAssign
    + std::ops::DivAssign
    + std::iter::Sum
{
    /// Distance from 1 to the next larger value.
    const EPSILON: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// Negative infinity.
    const NEG_INFINITY: Self;
    /// Not a number.
    const NAN: Self;

    /// A constant: the nearest value to `x`.
    #[inline(always)]
    fn of(x: f64) -> Self {
        Self::from_f64(x)
    }
    /// Whether the value is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// |x|
    fn abs(self) -> Self;
    /// x^(1/2)
    fn sqrt(self) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0
    fn exp_m1(self) -> Self;
    /// ln x
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0
    fn ln_1p(self) -> Self;
    /// log₂ x
    fn log2(self) -> Self;
    /// log₁₀ x
    fn log10(self) -> Self;
    /// sin x
    fn sin(self) -> Self;
    /// cos x
    fn cos(self) -> Self;
    /// tan x
    fn tan(self) -> Self;
    /// tanh x
    fn tanh(self) -> Self;
    /// 1 / (1 + e⁻ˣ)
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }
    /// The error function
    fn erf(self) -> Self;
    /// Φ(−|x|), with Φ the distribution function of the normal distribution
    fn normal_tail(self) -> Self;
    /// Φ(−|x|) and exp(−x²/2), sooner than one after the other
    fn normal_tail_and_power(self) -> (Self, Self);
    /// xʸ
    fn powf(self, y: Self) -> Self;
    /// The remainder of x / y with the sign of x
    fn fmod(self, y: Self) -> Self;
    /// The angle of the point (x, self) in radians
    fn atan2(self, x: Self) -> Self;
    /// The largest integer not above x
    fn floor(self) -> Self;
    /// The smallest integer not below x
    fn ceil(self) -> Self;
    /// The nearest integer, halves to even
    fn round_ties_even(self) -> Self;
    /// The integer part
    fn trunc(self) -> Self;
    /// x, or the nearer of −`size` and `size` where it lies beyond; a NaN stays. One instruction for each side, in loops.
    #[inline(always)]
    fn within(self, size: Self) -> Self {
        let x = if self < -size { -size } else { self };
        if x > size { size } else { x }
    }
    /// x·y, where 0·∞ is 0, as in y·ln y at y = 0: the limit where x vanishes faster than y grows. A NaN stays.
    #[inline(always)]
    fn times(self, y: Self) -> Self {
        if (self == Self::ZERO) & !y.is_nan() { Self::ZERO } else { self * y }
    }
    /// a·b + c, rounded once. Processors that lack the instruction (x86-64 before 2013) take long over it.
    fn mul_add(self, a: Self, b: Self) -> Self;
}

macro_rules! float {
    ($t:ident, std: $($name:ident),+; math: $($own:ident),*) => {
        impl Float for $t {
            const EPSILON: Self = $t::EPSILON;
            const INFINITY: Self = $t::INFINITY;
            const NEG_INFINITY: Self = $t::NEG_INFINITY;
            const NAN: Self = $t::NAN;
            $(
                #[inline(always)]
                fn $name(self) -> Self {
                    $t::$name(self)
                }
            )+
            $(
                #[inline(always)]
                fn $own(self) -> Self {
                    math::$own(self)
                }
            )*
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                float!(@erf $t, self)
            }
            #[inline(always)]
            fn normal_tail(self) -> Self {
                float!(@normal_tail $t, self)
            }
            #[inline(always)]
            fn normal_tail_and_power(self) -> (Self, Self) {
                float!(@normal_tail_and_power $t, self)
            }
            #[inline(always)]
            fn fmod(self, y: Self) -> Self {
                self % y
            }
            #[inline(always)]
            fn atan2(self, x: Self) -> Self {
                $t::atan2(self, x)
            }
            #[inline(always)]
            fn powf(self, y: Self) -> Self {
                float!(@powf $t, self, y)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $t::mul_add(self, a, b)
            }
        }
    };
    (@erf f32, $x:ident) => {
        math::erf_f32($x)
    };
    (@erf f64, $x:ident) => {
        math::erf($x)
    };
    (@normal_tail f32, $x:ident) => {
        math::normal_tail_f32($x)
    };
    (@normal_tail f64, $x:ident) => {
        math::normal_tail($x)
    };
    (@normal_tail_and_power f32, $x:ident) => {
        math::normal_tail_and_power_f32($x)
    };
    (@normal_tail_and_power f64, $x:ident) => {
        math::normal_tail_and_power($x)
    };
    (@powf f32, $x:ident, $y:ident) => {
        math::powf($x, $y)
    };
    (@powf f64, $x:ident, $y:ident) => {
        $x.powf($y)
    };
}

float!(f32, std: abs, sqrt, floor, ceil, round_ties_even, trunc;
    math: exp, exp_m1, ln, ln_1p, log2, log10, sin, cos, tan, tanh);
float!(f64, std: abs, sqrt, floor, ceil, round_ties_even, trunc,
    exp, exp_m1, ln, ln_1p, log2, log10, sin, cos, tan, tanh; math:);
