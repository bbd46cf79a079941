//! The registers of x86-64.

use std::arch::x86_64::*;

use super::{Register, Registers};

#[target_feature(enable = "avx2,fma")]
#[inline]
fn sum8(x: __m256) -> f32 {
    let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn sum4(x: __m256d) -> f64 {
    let x = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
    _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)))
}

/// # Safety
///
/// As [`Register::transpose`].
#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn transpose4(row: impl Fn(usize) -> *const f64, to: *mut f64, stride: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let row = |i: usize| _mm256_loadu_pd(row(i));
        let (low0, high0) = (_mm256_unpacklo_pd(row(0), row(1)), _mm256_unpackhi_pd(row(0), row(1)));
        let (low2, high2) = (_mm256_unpacklo_pd(row(2), row(3)), _mm256_unpackhi_pd(row(2), row(3)));
        _mm256_storeu_pd(to, _mm256_permute2f128_pd::<0x20>(low0, low2));
        _mm256_storeu_pd(to.add(stride), _mm256_permute2f128_pd::<0x20>(high0, high2));
        _mm256_storeu_pd(to.add(2 * stride), _mm256_permute2f128_pd::<0x31>(low0, low2));
        _mm256_storeu_pd(to.add(3 * stride), _mm256_permute2f128_pd::<0x31>(high0, high2));
    }
}

/// Transposes each 4 × 4 block of four registers of `f32`: pairs, then pairs of pairs.
macro_rules! transpose_lanes {
    ($x:expr, $low:ident, $high:ident, $shuffle:ident) => {{
        let [a, b, c, d] = $x;
        let (ab_low, ab_high) = ($low(a, b), $high(a, b));
        let (cd_low, cd_high) = ($low(c, d), $high(c, d));
        [
            $shuffle::<0x44>(ab_low, cd_low),
            $shuffle::<0xEE>(ab_low, cd_low),
            $shuffle::<0x44>(ab_high, cd_high),
            $shuffle::<0xEE>(ab_high, cd_high),
        ]
    }};
}

/// # Safety
///
/// As [`Register::transpose`].
#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn transpose8(row: impl Fn(usize) -> *const f32, to: *mut f32, stride: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let rows = |first: usize| {
            let x = [0, 1, 2, 3].map(|i| _mm256_loadu_ps(row(first + i)));
            transpose_lanes!(x, _mm256_unpacklo_ps, _mm256_unpackhi_ps, _mm256_shuffle_ps)
        };
        let (upper, lower) = (rows(0), rows(4));
        for j in 0..4 {
            let (a, b) = (upper[j], lower[j]);
            _mm256_storeu_ps(to.add(j * stride), _mm256_permute2f128_ps::<0x20>(a, b));
            _mm256_storeu_ps(to.add((j + 4) * stride), _mm256_permute2f128_ps::<0x31>(a, b));
        }
    }
}

/// # Safety
///
/// As [`Register::transpose`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
#[inline]
unsafe fn transpose16(row: impl Fn(usize) -> *const f32, to: *mut f32, stride: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let rows = |first: usize| {
            let x = [0, 1, 2, 3].map(|i| _mm512_loadu_ps(row(first + i)));
            transpose_lanes!(x, _mm512_unpacklo_ps, _mm512_unpackhi_ps, _mm512_shuffle_ps)
        };
        let [a, b, c, d] = [rows(0), rows(4), rows(8), rows(12)];
        // Lane i of the four quarters of column j: to row j + 4 · i.
        for j in 0..4 {
            let ab_even = _mm512_shuffle_f32x4::<0x88>(a[j], b[j]);
            let ab_odd = _mm512_shuffle_f32x4::<0xDD>(a[j], b[j]);
            let cd_even = _mm512_shuffle_f32x4::<0x88>(c[j], d[j]);
            let cd_odd = _mm512_shuffle_f32x4::<0xDD>(c[j], d[j]);
            let out = |lane: usize| to.add((j + 4 * lane) * stride);
            _mm512_storeu_ps(out(0), _mm512_shuffle_f32x4::<0x88>(ab_even, cd_even));
            _mm512_storeu_ps(out(1), _mm512_shuffle_f32x4::<0x88>(ab_odd, cd_odd));
            _mm512_storeu_ps(out(2), _mm512_shuffle_f32x4::<0xDD>(ab_even, cd_even));
            _mm512_storeu_ps(out(3), _mm512_shuffle_f32x4::<0xDD>(ab_odd, cd_odd));
        }
    }
}

/// # Safety
///
/// As [`Register::transpose`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
#[inline]
unsafe fn transpose8_f64(row: impl Fn(usize) -> *const f64, to: *mut f64, stride: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let pair = |first: usize| {
            let a = _mm512_loadu_pd(row(first));
            let b = _mm512_loadu_pd(row(first + 1));
            [_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b)]
        };
        let [a, b, c, d] = [pair(0), pair(2), pair(4), pair(6)];
        for j in 0..2 {
            let ab_even = _mm512_shuffle_f64x2::<0x88>(a[j], b[j]);
            let ab_odd = _mm512_shuffle_f64x2::<0xDD>(a[j], b[j]);
            let cd_even = _mm512_shuffle_f64x2::<0x88>(c[j], d[j]);
            let cd_odd = _mm512_shuffle_f64x2::<0xDD>(c[j], d[j]);
            let out = |lane: usize| to.add((j + 2 * lane) * stride);
            _mm512_storeu_pd(out(0), _mm512_shuffle_f64x2::<0x88>(ab_even, cd_even));
            _mm512_storeu_pd(out(1), _mm512_shuffle_f64x2::<0x88>(ab_odd, cd_odd));
            _mm512_storeu_pd(out(2), _mm512_shuffle_f64x2::<0xDD>(ab_even, cd_even));
            _mm512_storeu_pd(out(3), _mm512_shuffle_f64x2::<0xDD>(ab_odd, cd_odd));
        }
    }
}

register!(
    __m512,
    f32,
    16,
    8,
    14,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_reduce_add_ps,
    transpose16
);
register!(
    __m512d,
    f64,
    8,
    8,
    14,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_fmadd_pd,
    _mm512_reduce_add_pd,
    transpose8_f64
);
register!(
    __m256,
    f32,
    8,
    4,
    6,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    sum8,
    transpose8
);
register!(
    __m256d,
    f64,
    4,
    4,
    6,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_fmadd_pd,
    sum4,
    transpose4
);

impl Registers for f32 {
    type Avx512 = __m512;
    type Avx2 = __m256;
}

impl Registers for f64 {
    type Avx512 = __m512d;
    type Avx2 = __m256d;
}
