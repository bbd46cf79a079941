//! Gradients that are stored with their graph keep nothing alive that nobody can ask for. One test in a process of its
//! own, since the counters are the process's.

use chainrule_tensor::autograd::GradOptions;
use chainrule_tensor::memory::stats;
use chainrule_tensor::{Parameter, Result, Tensor, set_num_threads};

const CREATE: GradOptions = GradOptions { create_graph: true, retain_graph: false, allow_unused: false };
const NUMBERS: usize = 10_000;

fn values() -> Result<Tensor> {
    Tensor::full([NUMBERS], 0.5, chainrule_tensor::DType::F32)
}

/// Uses both as products do, which save them, and through views.
fn loss(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    x.mul(w)?.mul(x)?.exp()?.reshape([100, 100])?.matmul(&w.reshape([100, 100])?)?.square()?.sum()
}

#[test]
fn nothing_is_left_behind() -> Result<()> {
    set_num_threads(1);
    let kept = Parameter::new(values()?)?;

    // A leaf for each iteration.
    let leaf = || {
        let (x, w) = (values()?.requires_grad_(true)?, values()?.requires_grad_(true)?);
        CREATE.backward(&loss(&x, &w)?, None)?;
        assert!(x.grad().unwrap().requires_grad());
        Ok(())
    };
    // A leaf that is dropped before the pass.
    let dropped = || {
        let x = values()?.requires_grad_(true)?;
        let loss = loss(&x, &x.detach())?;
        drop(x);
        CREATE.backward(&loss, None)
    };
    // A model for each iteration; its tensors live longer than it, or shorter.
    let model = || {
        let (w, v) = (Parameter::new(values()?)?, Parameter::new(values()?)?);
        let x = w.tensor();
        CREATE.backward(&loss(&x, &v.tensor())?, None)?;
        drop(w);
        assert!(x.grad().is_some());
        Ok(())
    };
    // A training loop with a penalty on the gradient.
    let penalty = || {
        kept.zero_grad();
        let x = values()?;
        CREATE.backward(&loss(&x, &kept.tensor())?, None)?;
        let gradient = kept.grad().expect("a gradient");
        gradient.square()?.sum()?.backward()
    };
    // Two passes over one graph, in the gradients of which each finds the other.
    let twice = || {
        let (x, w) = (values()?.requires_grad_(true)?, values()?.requires_grad_(true)?);
        let loss = loss(&x, &w)?;
        CREATE.backward(&loss, None)?;
        CREATE.backward(&x.grad().unwrap().mul(&w.grad().unwrap())?.sum()?, None)?;
        CREATE.backward(&loss, None)
    };
    // Tensors in the middle that retain theirs, asked before or after they are used.
    let retained = || {
        let x = values()?.requires_grad_(true)?;
        let (early, late) = (x.square()?, x.exp()?);
        early.retain_grad()?;
        let loss = loss(&early, &late)?;
        late.retain_grad()?;
        CREATE.backward(&loss, None)?;
        assert!(early.grad().unwrap().requires_grad() && late.grad().unwrap().requires_grad());
        Ok(())
    };
    // The gradient of a leaf given by itself, by another, or by what is computed from it.
    let seeds = || {
        let (x, y) = (values()?.requires_grad_(true)?, values()?.requires_grad_(true)?);
        x.backward_with(&x)?;
        CREATE.backward(&y, Some(&x))?;
        CREATE.backward(&x, Some(&y))?;
        CREATE.backward(&x, Some(&x.mul(&y)?))?;
        let p = Parameter::new(values()?)?;
        p.set_grad(Some(p.tensor().square()?))?;
        kept.set_grad(Some(kept.tensor()))
    };
    // A hook whose result comes from a parameter.
    let hooks = || {
        let (x, w) = (values()?.requires_grad_(true)?, Parameter::new(values()?)?);
        let y = x.mul(&w.tensor())?;
        let scale = w.tensor().detach();
        y.register_hook(move |g| g.mul(&scale).map(Some))?;
        CREATE.backward(&y.square()?.sum()?, None)
    };
    let kinds: [(&str, &dyn Fn() -> Result<()>); 8] = [
        ("leaves", &leaf),
        ("leaves that are dropped before", &dropped),
        ("models", &model),
        ("a loop with a penalty", &penalty),
        ("two passes", &twice),
        ("retained gradients", &retained),
        ("gradients by themselves", &seeds),
        ("hooks", &hooks),
    ];
    let mut faults = Vec::new();
    for (what, step) in kinds {
        step()?;
        let before = stats().in_use_bytes;
        for _ in 0..20 {
            step()?;
        }
        let after = stats().in_use_bytes;
        if after != before {
            faults.push(format!("{what}: {before} bytes in use, then {after}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}
