//! Memory: flat over thousands of steps, nothing asked of the system in the steady state. One test in a process
//! of its own, since the counters are the process's.

use chainrule::memory::stats;
use chainrule::{Parameter, Result, Tensor};

fn forward(x: &Tensor, w: &Parameter, b: &Parameter) -> Result<Tensor> {
    x.matmul(&w.tensor())?.add(&b.tensor())?.relu()?.mean()
}

fn resident_bytes() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse::<usize>().ok().map(|pages| pages * 4096)
}

#[test]
fn memory_stays_flat() -> Result<()> {
    let x = Tensor::randn([64, 256])?;
    let w = Parameter::new(Tensor::randn([256, 256])?)?;
    let b = Parameter::new(Tensor::zeros([256])?)?;
    let train = || -> Result<()> {
        let loss = forward(&x, &w, &b)?;
        loss.backward()?;
        for p in [&w, &b] {
            let grad = p.grad().expect("a gradient");
            let grad = grad.as_slice::<f32>()?;
            p.update(|v: &mut [f32]| v.iter_mut().zip(grad).for_each(|(v, g)| *v -= 1e-3 * g))?;
            p.zero_grad();
        }
        Ok(())
    };
    let kinds: [(&str, &dyn Fn() -> Result<()>); 3] = [
        ("graphs that are built and dropped", &|| forward(&x, &w, &b).map(drop)),
        ("training steps", &train),
        ("a backward pass that fails", &|| {
            let y = forward(&x, &w, &b)?.expand([2])?;
            assert!(y.backward().is_err());
            Ok(())
        }),
    ];
    for (what, step) in kinds {
        for _ in 0..10 {
            step()?;
        }
        let (start, resident, copies) = (stats(), resident_bytes(), chainrule::copies_on_write());
        for _ in 0..10_000 {
            step()?;
        }
        let end = stats();
        assert_eq!(end.in_use_bytes, start.in_use_bytes, "{what}: bytes in use");
        assert_eq!(end.system_allocations, start.system_allocations, "{what}: blocks asked of the system");
        assert_eq!(chainrule::copies_on_write(), copies, "{what}: copies on write");
        if let (Some(before), Some(after)) = (resident, resident_bytes()) {
            assert!(
                after < before + (8 << 20),
                "{what}: resident memory grew from {before} to {after} bytes"
            );
        }
    }
    Ok(())
}
