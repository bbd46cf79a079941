//! [`record`]: enter an operation into the graph.

use std::cell::Cell;
use std::panic::Location;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::anomaly;
use super::few::Few;
use super::handle::NodeRef;
use super::mode::is_grad_enabled;
use super::node::{Backward, Edge, Input, Node, Origin, Output};
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
    is_grad_enabled() && inputs.iter().any(|t| t.edge().is_some())
}

/// Enters an operation with one output into the graph and returns the output in its place there. Where no
/// input is tracked, or grad mode is off, or the output's dtype carries no gradient, the output comes back as
/// it is. See [`Backward`] for an example.
///
/// # Errors
/// When what is to be saved is not there; and in anomaly mode, when the output holds a NaN although no input does.
#[track_caller]
pub fn record<B: Backward>(
    operation: B,
    inputs: &[&Tensor],
    saved: &[Save<'_>],
    mut output: Tensor,
) -> Result<Tensor> {
    let outputs = std::slice::from_ref(&output);
    if is_recorded(operation.name(), inputs, saved, outputs)? {
        let node = node(Box::new(operation), inputs, saved, outputs);
        output.set_edge(Edge::Output(node, 0));
    }
    Ok(output)
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
    mut outputs: Vec<Tensor>,
) -> Result<Vec<Tensor>> {
    if is_recorded(operation.name(), inputs, saved, &outputs)? {
        let node = node(Box::new(operation), inputs, saved, &outputs);
        for (i, output) in outputs.iter_mut().enumerate().filter(|(_, output)| output.dtype().is_float()) {
            output.set_edge(Edge::Output(node.clone(), i as u32));
        }
    }
    Ok(outputs)
}

/// Checks an operation, and says whether it goes into the graph.
#[track_caller]
fn is_recorded(
    operation: &'static str,
    inputs: &[&Tensor],
    saved: &[Save<'_>],
    outputs: &[Tensor],
) -> Result<bool> {
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
    Ok(is_tracked(inputs) && outputs.iter().any(|output| output.dtype().is_float()))
}

/// What the graph keeps of an operation.
#[track_caller]
fn node(operation: Box<dyn Backward>, inputs: &[&Tensor], saved: &[Save<'_>], outputs: &[Tensor]) -> NodeRef {
    let input = |t: &&Tensor| {
        let edge = t.edge()?.clone();
        Some(Input { edge, shape: t.shape().clone(), dtype: t.dtype() })
    };
    let origin = |save: &Save<'_>| match save {
        Save::Output(i) if outputs[*i].dtype().is_float() => Origin::Output(*i as u32),
        _ => Origin::Elsewhere,
    };
    let value = |save: &Save<'_>| match save {
        Save::Input(i) => match inputs[*i].edge() {
            // One that does not own the leaf's gradient, whose graph this node may come to belong to.
            edge @ Some(Edge::Leaf(_)) => inputs[*i].with_edge(edge.cloned()),
            _ => inputs[*i].clone(),
        },
        // A handle of its own: the output's will be put into the graph, and then belongs to the node.
        Save::Output(i) => outputs[*i].with_edge(None),
        Save::Value(tensor) => tensor.detach(),
    };
    let before = |t: &&Tensor| match t.edge() {
        Some(Edge::Output(node, _)) => node.sequence,
        _ => 0,
    };
    let sequence = next_sequence(inputs.iter().map(before).max().unwrap_or(0));
    let location = Location::caller();
    NodeRef::new(|| Node {
        sequence,
        location,
        operation,
        inputs: inputs.iter().map(input).collect(),
        outputs: outputs.iter().map(|_| Output::default()).collect(),
        origins: saved.iter().map(origin).collect(),
        saved: Mutex::new(Some(saved.iter().map(value).collect::<Few<_>>())),
    })
}

/// A number above `before` that no other node has. Threads take numbers in blocks, so that they do not wait for one
/// another at each node.
fn next_sequence(before: u64) -> u64 {
    const BLOCK: u64 = 1024;
    static FREE: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        /// The next number and the first that is not ours.
        static MINE: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    }
    let (mut next, mut end) = MINE.get();
    if next == end || next <= before {
        // `before` was taken from an earlier block.
        next = FREE.fetch_add(BLOCK, Relaxed);
        end = next + BLOCK;
    }
    MINE.set((next + 1, end));
    next
}
