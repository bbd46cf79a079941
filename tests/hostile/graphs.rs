//! Automatic differentiation itself, parameters and cells, state dicts and files of them.

use chainrule::autograd::{self, Backward, Context, GradOptions, GradcheckOptions, Save};
use chainrule::autograd::{grad, gradcheck, gradcheck_with, gradgradcheck, no_grad, record};
use chainrule::{DType, Parameter, Result, StateDict, Tensor, TensorCell};

use crate::case::{Call, call};
use crate::draw::Draw;

/// An operation whose backward formula gives whatever it was made with.
struct Wrong(Vec<Option<Tensor>>);

impl Backward for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        _ = (ctx.saved(7), ctx.grad_of(7), ctx.needs(7));
        Ok(self.0.clone())
    }
}

/// A few operations on whatever fits.
fn chain(d: &mut Draw, x: &Tensor) -> Result<Tensor> {
    let mut y = x.clone();
    for _ in 0..d.small() {
        y = match d.pick(&["exp", "mul", "select", "expand", "cat", "sum", "transpose", "softmax"]) {
            "exp" => y.tanh()?,
            "mul" => y.mul(&y)?,
            "select" => y.select(0, -1)?,
            "expand" => y.unsqueeze(0)?.expand([&[3][..], y.shape()].concat())?,
            "cat" => Tensor::cat(&[&y, &y], 0)?,
            "sum" => y.sum_dim(vec![0], d.flag())?,
            "transpose" => y.transpose(0, -1)?,
            _ => y.softmax(0)?,
        };
        if y.numel() > 10_000 {
            break;
        }
    }
    Ok(y)
}

pub(crate) fn calls() -> Vec<Call> {
    vec![
        call("chains", |d| {
            let x = d.tensor();
            chain(d, &x)
        }),
        call("grad", |d| {
            let (x, z) = (d.tensor(), d.tensor());
            let y = chain(d, &x)?;
            let gradient = d.maybe(Draw::tensor);
            let options =
                GradOptions { retain_graph: d.flag(), create_graph: d.flag(), allow_unused: d.flag() };
            let gradients: &[Option<&Tensor>] = &[gradient.as_ref()];
            let found = grad(&[&y], &[&x, &z], if d.flag() { gradients } else { &[] }, options)?;
            Ok(found.into_iter().flatten().collect::<Vec<_>>())
        }),
        call("backward_with", |d| {
            let x = d.tensor();
            let y = chain(d, &x)?;
            y.backward_with(&d.tensor())?;
            y.backward_with(&y)
        }),
        call("backward twice", |d| {
            let x = d.tensor();
            let y = chain(d, &x)?.sum()?;
            y.backward()?;
            y.backward()
        }),
        call("hooks", |d| {
            let x = d.tensor();
            let other = d.tensor();
            let handle = x.register_hook(move |_| Ok(Some(other.clone())))?;
            let y = chain(d, &x)?;
            y.retain_grad()?;
            _ = y.sum()?.backward().map_err(|e| e.to_string());
            handle.remove();
            y.sum()?.backward()
        }),
        call("anomalies", |d| {
            let _guard = autograd::detect_anomaly();
            let x = d.tensor();
            chain(d, &x)?.log()?.sum()?.backward()
        }),
        call("gradcheck", |d| {
            let shape = d.shape();
            let (x, y) = (d.tensor(), d.floats(&shape));
            let n = d.small();
            gradcheck(|x| (0..n).map(|_| x[0].mul(&x[0])).collect(), &[x, y.clone()])?;
            gradgradcheck(|x| x[0].tanh().map(|y| vec![y]), &[y])
        }),
        call("gradcheck_with", |d| {
            let x = d.tensor();
            let options = GradcheckOptions { eps: d.number(), atol: d.number(), rtol: d.number() };
            gradcheck_with(|x| x[0].square().map(|y| vec![y]), &[x], options)
        }),
        call("record", |d| {
            let (x, y) = (d.tensor(), d.tensor());
            let gradients = (0..d.small()).map(|_| d.maybe(Draw::tensor)).collect();
            record(Wrong(gradients), &[&x], &[Save::Input(d.small() / 2), Save::Output(d.small() / 2)], y)
        }),
        call("requires_grad_", |d| d.tensor().requires_grad_(d.flag())),
        call("Parameter", |d| {
            let parameter = Parameter::new(d.tensor())?;
            _ = parameter.set(&d.tensor()).map_err(|e| e.to_string());
            _ = parameter.set_grad(Some(d.tensor())).map_err(|e| e.to_string());
            _ = parameter.update(|values: &mut [f32]| values.fill(1.0)).map_err(|e| e.to_string());
            _ = no_grad(|| parameter.tensor().mul(2.0));
            parameter.tensor().mul(2.0)?.sum()
        }),
        call("RowGradient", |d| {
            let shape = d.shape();
            let parameter = Parameter::new(d.floats(&shape).detach())?;
            let n = d.small();
            let rows = autograd::RowGradient::new(&d.index_tensor(&[n], 3), &d.tensor())?;
            let rows = rows.with_values(&d.tensor()).unwrap_or(rows);
            _ = parameter.set_row_gradient(&rows).map_err(|e| e.to_string());
            _ = parameter.row_gradient()?;
            parameter.try_grad()
        }),
        call("TensorCell", |d| {
            let cell = TensorCell::new(&d.tensor());
            _ = cell.set(&d.tensor()).map_err(|e| e.to_string());
            cell.update(|values: &mut [i64]| values.fill(1))
        }),
        call("StateDict", |d| {
            let mut state = StateDict::new();
            for name in ["a", "b", "a.b", ""] {
                _ = state.insert(name, d.tensor()).map_err(|e| e.to_string());
            }
            state.extend(d.pick(&["m", "", ".", "a"]), &state.clone())?;
            let bytes = state.to_bytes()?;
            let back = StateDict::from_bytes(&bytes)?;
            assert_eq!(back.len(), state.len());
            let mut damaged = bytes;
            for _ in 0..d.small() {
                let at = d.size() % damaged.len().max(1);
                let byte = d.pick(&[0, 255, b'9', b'-', b'{', b'"', 128]);
                if let Some(old) = damaged.get_mut(at) {
                    *old = byte;
                }
            }
            StateDict::from_bytes(&damaged).map(drop)
        }),
        call("StateDict::save", |d| {
            let directory = tempfile::tempdir().expect("a folder");
            let name = d.pick(&["w", "", ".", "..", "no/such/folder", "\0", "a/../b"]);
            let mut state = StateDict::new();
            state.insert("x", d.tensor())?;
            state.save(directory.path().join(name))?;
            StateDict::load(directory.path().join(name)).map(drop)
        }),
        call("StateDict of headers", |d| {
            let (dtype, begin, end) = (d.pick(&["F32", "I64", "BOOL", "BF16", "X"]), d.size(), d.size());
            let shape = d.sizes();
            let header =
                format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{end}]}}}}"#);
            let length = d.pick(&[header.len() as u64, header.len() as u64, 0, 1 << 40, u64::MAX]);
            let data = vec![0; d.small() * 8];
            StateDict::from_bytes(&[&length.to_le_bytes()[..], header.as_bytes(), &data].concat()).map(drop)
        }),
        call("StateDict::load of other files", |d| {
            let start: &[u8] = d.pick(&[
                &b"PK\x03\x04"[..],
                &b"\x80\x02}q\x00."[..],
                &b"<!DOCTYPE html>"[..],
                &b"version https://git-lfs"[..],
                &b""[..],
            ]);
            StateDict::from_bytes(&[start, &vec![7; d.small()]].concat()).map(drop)
        }),
        call("casts of views", |d| d.huge_view().to_dtype(DType::Bool)?.select(0, 0)),
    ]
}
