//! Uniform integers.

use super::Generator;

/// From this many possible values on, 64 bits are drawn for each: the
/// remainder of 32 would favour small values by too much.
const WIDE_RANGE: u64 = 1 << 28;

impl Generator {
    /// Fills `out` with uniform integers in `[low, high)`, as `torch.randint`
    /// and `Tensor.random_(low, high)` do on a tensor of int64.
    ///
    /// # Errors
    ///
    /// When `high <= low`. Nothing is drawn then.
    pub fn random_from_to(&mut self, out: &mut [i64], low: i64, high: i64) -> Result<(), String> {
        if high <= low {
            return Err(format!(
                "randint: `low` must be less than `high`, got low = {low} and high = {high}"
            ));
        }
        let range = high.wrapping_sub(low) as u64;
        out.fill_with(|| {
            let bits = if range < WIDE_RANGE { u64::from(self.random()) } else { self.random64() };
            low.wrapping_add((bits % range) as i64)
        });
        Ok(())
    }
}
