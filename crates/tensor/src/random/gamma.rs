//! Gamma-distributed numbers, and proportions made of them.

use chainrule_kernels::memory::try_vec;

use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with gamma-distributed values of these shapes (concentrations) and rate 1, one for each, as
    /// `torch.distributions.Gamma(concentrations, 1).sample()` does.
    ///
    /// # Errors
    ///
    /// When a concentration is not greater than 0, or the lengths differ. Nothing is drawn then.
    pub fn gamma<T>(&mut self, out: &mut [T], concentrations: &[T]) -> Result<(), String>
    where
        T: RandomFloat + Into<f64>,
    {
        check("gamma", out.len(), concentrations)?;
        for (value, &concentration) in out.iter_mut().zip(concentrations) {
            // What would round to zero is kept positive, as PyTorch does, so that it has a logarithm.
            let drawn = T::from_f64(self.gamma_one::<T>(concentration.into()));
            *value = if drawn.into() < T::MIN_POSITIVE { T::from_f64(T::MIN_POSITIVE) } else { drawn };
        }
        Ok(())
    }

    /// Fills each row of `out` with proportions that add up to 1, of the Dirichlet distribution of these
    /// concentrations, as `torch.distributions.Dirichlet(concentrations).sample()` does; of two columns the first is
    /// that of `torch.distributions.Beta`. A row has `width` values.
    ///
    /// # Errors
    ///
    /// When a concentration is not greater than 0, the lengths differ, or there is not enough memory. Nothing is drawn
    /// then.
    pub fn dirichlet<T>(&mut self, out: &mut [T], concentrations: &[T], width: usize) -> Result<(), String>
    where
        T: RandomFloat + Into<f64>,
    {
        check("dirichlet", out.len(), concentrations)?;
        if width == 0 {
            return Ok(());
        }
        let most = width.min(out.len());
        let mut gammas: Vec<f64> = try_vec(most).map_err(|refused| format!("dirichlet: {refused}"))?;
        for (out, concentrations) in out.chunks_mut(width).zip(concentrations.chunks(width)) {
            gammas.clear();
            gammas.extend(
                concentrations.iter().map(|&c| self.gamma_one::<f64>(c.into()).max(f64::MIN_POSITIVE)),
            );
            let mut sum: f64 = gammas.iter().sum();
            if !sum.is_finite() {
                // The same proportions in numbers whose sum fits.
                gammas.iter_mut().for_each(|gamma| *gamma *= 2f64.powi(-64));
                sum = gammas.iter().sum();
            }
            for (value, gamma) in out.iter_mut().zip(&gammas) {
                *value = T::from_f64((gamma / sum).clamp(T::MIN_POSITIVE, T::BELOW_ONE));
            }
        }
        Ok(())
    }

    /// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000. PyTorch computes with the
    /// concentration in the type of the result.
    fn gamma_one<T: RandomFloat + Into<f64>>(&mut self, concentration: f64) -> f64 {
        let round = |x: f64| -> f64 { T::from_f64(x).into() };
        let mut scale = 1.0;
        let mut shape = concentration;
        if shape < 1.0 {
            scale *= (1.0 - f64::unit(self)).powf(round(1.0 / shape));
            shape = round(shape + 1.0);
        }
        let d = round(shape - THIRD);
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let (x, y) = loop {
                let x = self.standard_normal();
                let y = 1.0 + c * x;
                if y > 0.0 {
                    break (x, y);
                }
            };
            let v = y * y * y;
            let u = 1.0 - f64::unit(self);
            let square = x * x;
            if u < 1.0 - SQUEEZE * square * square || u.ln() < 0.5 * square + d * (1.0 - v + v.ln()) {
                return scale * d * v;
            }
        }
    }
}

/// Constants that PyTorch has in single precision.
const THIRD: f64 = (1.0_f32 / 3.0) as f64;
const SQUEEZE: f64 = 0.0331_f32 as f64;

fn check<T: RandomFloat + Into<f64>>(name: &str, values: usize, concentrations: &[T]) -> Result<(), String> {
    if values != concentrations.len() {
        return Err(format!(
            "{name}: as many concentrations as values are needed, got {} for {values}",
            concentrations.len()
        ));
    }
    match concentrations.iter().map(|&c| c.into()).find(|c: &f64| !(*c > 0.0 && c.is_finite())) {
        Some(c) => Err(format!("{name}: a concentration must be finite and greater than 0, got {c}")),
        None => Ok(()),
    }
}
