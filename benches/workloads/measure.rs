//! Times and digests.

use std::hint::black_box;
use std::time::{Duration, Instant};

use chainrule::{Result, Tensor};

use crate::Step;

/// Five iterations to warm up, then at least 20 and at least a second and a half of them; the median and the least
/// time, in microseconds.
pub(crate) fn times(step: &mut Step, quick: bool) -> Result<String> {
    let (warm_up, least, span) =
        if quick { (1, 3, Duration::from_millis(100)) } else { (5, 20, Duration::from_millis(1500)) };
    for _ in 0..warm_up {
        step(false)?;
    }
    let mut times = Vec::new();
    let (start, used) = (Instant::now(), cpu_seconds());
    while times.len() < least || start.elapsed() < span {
        let begin = Instant::now();
        black_box(step(false)?);
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    let cores = (cpu_seconds() - used) / start.elapsed().as_secs_f64();
    let iterations = times.len();
    times.sort_by(f64::total_cmp);
    let median = (times[(iterations - 1) / 2] + times[iterations / 2]) / 2.0;
    Ok(format!(
        "\"threads\": {}, \"median_us\": {median:.3}, \"min_us\": {:.3}, \"iters\": {iterations}, \"cores\": {cores:.2}",
        chainrule::num_threads(),
        times[0],
    ))
}

/// The processor time of this process so far; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    // User and system time, in hundredths of a second.
    fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The number of elements, their mean, root mean square, and a sum with weights that differ from place to place.
pub(crate) fn digest(tensor: &Tensor) -> Result<String> {
    let values = tensor.to_vec::<f32>()?;
    let n = values.len().max(1) as f64;
    let (mut sum, mut squares, mut weighted) = (0.0, 0.0, 0.0);
    for (i, &value) in values.iter().enumerate() {
        let value = f64::from(value);
        sum += value;
        squares += value * value;
        weighted += value * (((i % 97) as f64 - 48.0) / 48.0) * (1.0 + (i % 1009) as f64 / 1009.0);
    }
    Ok(format!("[{}, {:e}, {:e}, {:e}]", values.len(), sum / n, (squares / n).sqrt(), weighted / n.sqrt()))
}
