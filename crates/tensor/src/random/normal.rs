//! Normally distributed numbers.

use std::f64::consts::PI;

use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with normal values of the given mean and standard
    /// deviation, as `Tensor.normal_(mean, std)` does on a contiguous tensor;
    /// mean 0 and deviation 1 is `torch.randn`.
    ///
    /// Fewer than 16 values are drawn one by one in double precision, and the
    /// second of a Box-Muller pair is remembered for the next such call;
    /// 16 or more are made in blocks of 16 in the type of `out`, and leave a
    /// remembered value alone.
    ///
    /// # Errors
    ///
    /// When `std` is negative or NaN. Nothing is drawn then.
    pub fn normal<T: RandomFloat>(&mut self, out: &mut [T], mean: f64, std: f64) -> Result<(), String> {
        if out.len() < 16 {
            return self.normal_one_by_one(out, mean, std);
        }
        check(std)?;
        let (mean, std) = (T::from_f64(mean), T::from_f64(std));
        out.fill_with(|| T::unit(self));
        let (blocks, rest) = out.as_chunks_mut::<16>();
        for block in blocks {
            T::normal_block(block, mean, std);
        }
        // An incomplete last block is replaced by a whole one that ends where
        // the values end: up to 15 values of its neighbour are drawn anew.
        if !rest.is_empty()
            && let Some(block) = out.last_chunk_mut::<16>()
        {
            block.fill_with(|| T::unit(self));
            T::normal_block(block, mean, std);
        }
        Ok(())
    }

    /// Fills `out` as [`normal`](Generator::normal) does fewer than 16 values, whatever the length: what PyTorch does
    /// to tensors that are not contiguous.
    ///
    /// # Errors
    ///
    /// When `std` is negative or NaN. Nothing is drawn then.
    pub fn normal_one_by_one<T: RandomFloat>(
        &mut self,
        out: &mut [T],
        mean: f64,
        std: f64,
    ) -> Result<(), String> {
        check(std)?;
        out.fill_with(|| T::from_f64(self.standard_normal().mul_add(std, mean)));
        Ok(())
    }

    /// One standard normal value by the scalar Box-Muller transform.
    pub(super) fn standard_normal(&mut self) -> f64 {
        if let Some(normal) = self.next_normal.take() {
            return normal;
        }
        let theta = 2.0 * PI * f64::unit(self);
        let radius = (-2.0 * (-f64::unit(self)).ln_1p()).sqrt();
        self.next_normal = Some(radius * theta.sin());
        radius * theta.cos()
    }
}

fn check(std: f64) -> Result<(), String> {
    if std >= 0.0 { Ok(()) } else { Err(format!("normal: `std` must be at least 0, got {std}")) }
}
