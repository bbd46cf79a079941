//! [`record`]: enter an operation into the graph.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use super::anomaly;
use super::handle::NodeRef;
use super::hooks::Hooks;
use super::mode::is_grad_enabled;
use super::node::{Backward, Edge, Entry, Input, Node, Output, Saved, SavedState};
use crate::{Result, Tensor, bail};

/// A tensor that the way back needs, and gets through [`Context::saved`](super::Context::saved) in the order
/// of this list.
pub enum Save<'a> {
    /// The input of this number.
    Input(usize),
    /// The output of this number.
    Output(usize),
    /// Something computed on the way, such as indices. No gradient flows through it: a differentiable formula
    /// must not depend on it unless it is constant.
    Value(&'a Tensor),
}

/// Whether an operation on these inputs would be recorded.
pub fn is_tracked(inputs: &[&Tensor]) -> bool {
    is_grad_enabled() && inputs.iter().any(|t| t.edge.is_some())
}

/// Enters an operation with one output into the graph and returns the output in its place there. Where no
/// input is tracked, or grad mode is off, or the output's dtype carries no gradient, the output comes back as
/// it is. See [`Backward`] for an example.
///
/// # Errors
/// When what is to be saved is not there; and in anomaly mode, when the output is not finite although every
/// input is.
#[track_caller]
pub fn record<B: Backward>(
    operation: B,
    inputs: &[&Tensor],
    saved: &[Save<'_>],
    output: Tensor,
) -> Result<Tensor> {
    match entry(operation.name(), inputs, saved, std::slice::from_ref(&output))? {
        Some(entry) => Ok(in_graph(Arc::new(Node { entry, operation }), output)),
        None => Ok(output),
    }
}

/// As [`record`], for an operation with several outputs. Outputs of integers and booleans stay outside the
/// graph.
///
/// # Errors
/// Those of [`record`].
#[track_caller]
pub fn record_many<B: Backward>(
    operation: B,
    inputs: &[&Tensor],
    saved: &[Save<'_>],
    outputs: Vec<Tensor>,
) -> Result<Vec<Tensor>> {
    match entry(operation.name(), inputs, saved, &outputs)? {
        Some(entry) => Ok(all_in_graph(Arc::new(Node { entry, operation }), outputs)),
        None => Ok(outputs),
    }
}

fn in_graph(node: Arc<Node>, output: Tensor) -> Tensor {
    Tensor { edge: Some(Edge::Output(NodeRef::new(node), 0)), ..output }
}

fn all_in_graph(node: Arc<Node>, outputs: Vec<Tensor>) -> Vec<Tensor> {
    let node = NodeRef::new(node);
    let place = |(i, output): (usize, Tensor)| match output.dtype().is_float() {
        true => Tensor { edge: Some(Edge::Output(node.clone(), i)), ..output },
        false => output,
    };
    outputs.into_iter().enumerate().map(place).collect()
}

/// What the graph keeps of an operation, if it is recorded at all.
#[track_caller]
fn entry(
    operation: &'static str,
    inputs: &[&Tensor],
    saved: &[Save<'_>],
    outputs: &[Tensor],
) -> Result<Option<Entry>> {
    if anomaly::is_detecting() {
        anomaly::check_forward(operation, inputs, outputs)?;
    }
    // Before it is known whether anything is tracked, so that a wrong index shows the first time.
    for save in saved {
        let (what, i, count) = match save {
            Save::Input(i) => ("input", *i, inputs.len()),
            Save::Output(i) => ("output", *i, outputs.len()),
            Save::Value(_) => continue,
        };
        if i >= count {
            let plural = if count == 1 { "" } else { "s" };
            bail!(Index, operation, "{what} {i} is to be saved of an operation with {count} {what}{plural}");
        }
    }
    if !is_tracked(inputs) || !outputs.iter().any(|output| output.dtype().is_float()) {
        return Ok(None);
    }
    let input = |t: &&Tensor| {
        let edge = t.edge.clone()?;
        Some(Input { edge, shape: t.shape().clone(), dtype: t.dtype() })
    };
    let keep = |save: &Save<'_>| match save {
        Save::Input(i) => Saved::Tensor(inputs[*i].clone()),
        Save::Value(tensor) => Saved::Tensor(tensor.detach()),
        Save::Output(i) if !outputs[*i].dtype().is_float() => Saved::Tensor(outputs[*i].detach()),
        Save::Output(i) => Saved::Output {
            storage: outputs[*i].storage.clone(),
            layout: outputs[*i].layout.clone(),
            number: *i,
        },
    };
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Ok(Some(Entry {
        sequence: NEXT.fetch_add(1, Relaxed),
        location: Location::caller(),
        inputs: inputs.iter().map(input).collect(),
        outputs: outputs
            .iter()
            .map(|_| Output { hooks: Hooks::default(), retained: Mutex::new(None) })
            .collect(),
        saved: Mutex::new(SavedState::Kept(saved.iter().map(keep).collect())),
    }))
}
