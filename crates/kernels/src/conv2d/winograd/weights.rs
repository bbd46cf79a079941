//! Kernels at the 36 positions, and back.

use super::positions::Positions;
use super::transform::{tap_gradients, taps};
use super::{LINE, REACH};
use crate::Buffer;
use crate::memory::OutOfMemory;
use crate::parallel::{self, SendPtr};
use crate::register::{self, Kernel, Register, Registers};

/// Estimated nanoseconds for a pair of channels.
const PAIR_NS: f64 = 20.0;

/// The kernels of `channels` by `out_channels` at all positions: rows are the former, lanes the latter.
/// `weight(o, c)` is where the nine taps of a pair start, which are taken backwards where `turned` is set.
pub(super) fn lift<T: Registers>(
    (channels, out_channels): (usize, usize),
    weight: &[T],
    start: impl Fn(usize, usize) -> usize + Sync,
    turned: bool,
) -> Result<(Buffer<T>, Positions), OutOfMemory> {
    let positions = Positions::new(out_channels, channels);
    let mut lifted = Buffer::try_recycled(positions.len())?;
    let base = SendPtr(lifted.as_mut_ptr());
    parallel::run(out_channels.div_ceil(LINE), (channels * out_channels) as f64 * PAIR_NS, |task| {
        let first = task * LINE;
        let count = LINE.min(out_channels - first);
        for channel in 0..channels {
            let mut lanes = [[T::ZERO; LINE]; 9];
            for lane in 0..count {
                let start = start(first + lane, channel);
                for (tap, x) in weight[start..start + 9].iter().enumerate() {
                    lanes[if turned { 8 - tap } else { tap }][lane] = *x;
                }
            }
            register::run(LiftKernels { taps: &lanes, first, channel, positions, to: base.get() });
        }
    });
    Ok((lifted, positions))
}

struct LiftKernels<'a, T> {
    taps: &'a [[T; LINE]; 9],
    /// The output channel of the first lane.
    first: usize,
    channel: usize,
    positions: Positions,
    to: *mut T,
}

impl<T: Registers> Kernel<T> for LiftKernels<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        for part in 0..LINE / V::LEN {
            let group = self.first / V::LEN + part;
            // SAFETY: memory is there for a multiple of `LINE` output channels, and these are ours alone.
            unsafe {
                let mut half = [[V::splat(T::ZERO); 3]; REACH];
                for column in 0..3 {
                    let mut x = [V::splat(T::ZERO); 3];
                    for row in 0..3 {
                        x[row] = V::load(self.taps[row * 3 + column].as_ptr().add(part * V::LEN));
                    }
                    let x = taps::<T, V>(x);
                    for row in 0..REACH {
                        half[row][column] = x[row];
                    }
                }
                for row in 0..REACH {
                    let x = taps::<T, V>(half[row]);
                    for column in 0..REACH {
                        let at = self.positions.at(row * REACH + column, group, self.channel, V::LEN);
                        x[column].store(self.to.add(at));
                    }
                }
            }
        }
    }
}

/// The gradient of the kernels, `[out_channels, channels, 3, 3]`, from gradients at the positions, several of which
/// follow each other and are added up.
pub(super) fn lower<T: Registers>(
    (channels, out_channels): (usize, usize),
    lifted: &[T],
    positions: Positions,
    gradient: &mut [T],
) {
    let ns = (channels * out_channels) as f64 * PAIR_NS;
    parallel::chunks_mut(gradient, LINE * channels * 9, ns, |task, gradient| {
        for channel in 0..channels {
            let mut lanes = [[T::ZERO; LINE]; 9];
            let first = task * LINE;
            register::run(LowerKernels { lifted, first, channel, positions, taps: &mut lanes });
            for (lane, gradient) in gradient.chunks_exact_mut(channels * 9).enumerate() {
                for (tap, x) in gradient[channel * 9..][..9].iter_mut().enumerate() {
                    *x = lanes[tap][lane];
                }
            }
        }
    });
}

struct LowerKernels<'a, T> {
    lifted: &'a [T],
    /// The output channel of the first lane.
    first: usize,
    channel: usize,
    positions: Positions,
    taps: &'a mut [[T; LINE]; 9],
}

impl<T: Registers> Kernel<T> for LowerKernels<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let parts = self.lifted.len() / self.positions.len();
        for block in 0..LINE / V::LEN {
            let group = self.first / V::LEN + block;
            // SAFETY: memory is there for a multiple of `LINE` output channels, in each part.
            unsafe {
                let mut half = [[V::splat(T::ZERO); REACH]; 3];
                for column in 0..REACH {
                    let mut x = [V::splat(T::ZERO); REACH];
                    for row in 0..REACH {
                        let at = self.positions.at(row * REACH + column, group, self.channel, V::LEN);
                        let from = self.lifted.as_ptr().add(at);
                        x[row] = V::load(from);
                        for part in 1..parts {
                            let more = V::load(from.add(part * self.positions.len()));
                            x[row] = x[row].mul_add(V::splat(T::ONE), more);
                        }
                    }
                    let x = tap_gradients::<T, V>(x);
                    for row in 0..3 {
                        half[row][column] = x[row];
                    }
                }
                for row in 0..3 {
                    let x = tap_gradients::<T, V>(half[row]);
                    for column in 0..3 {
                        x[column].store(self.taps[row * 3 + column].as_mut_ptr().add(block * V::LEN));
                    }
                }
            }
        }
    }
}
