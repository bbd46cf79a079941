//! [`record`]: enter an operation into the graph.

use std::panic::Location;
use std::sync::{Arc, Mutex};

use super::anomaly;
use super::hooks::Hooks;
use super::mode::is_grad_enabled;
use super::node::{Backward, Edge, Input, Node, Output, Saved};
use crate::{Result, Tensor};

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
/// In anomaly mode, when the output is not finite although every input is.
#[track_caller]
pub fn record<B: Backward>(
    operation: B,
    inputs: &[&Tensor],
    saved: &[Save<'_>],
    output: Tensor,
) -> Result<Tensor> {
    if anomaly::is_detecting() {
        anomaly::check_forward(operation.name(), inputs, std::slice::from_ref(&output))?;
    }
    if !is_tracked(inputs) || !output.dtype().is_float() {
        return Ok(output);
    }
    let node = node(operation, inputs, saved, std::slice::from_ref(&output), Location::caller());
    Ok(Tensor { edge: Some(Edge::Output(node, 0)), ..output })
}

/// As [`record`], for an operation with several outputs. Outputs of integers and booleans stay outside the
/// graph.
#[track_caller]
pub fn record_many<B: Backward>(
    operation: B,
    inputs: &[&Tensor],
    saved: &[Save<'_>],
    outputs: Vec<Tensor>,
) -> Result<Vec<Tensor>> {
    if anomaly::is_detecting() {
        anomaly::check_forward(operation.name(), inputs, &outputs)?;
    }
    if !is_tracked(inputs) {
        return Ok(outputs);
    }
    let node = node(operation, inputs, saved, &outputs, Location::caller());
    let place = |(i, output): (usize, Tensor)| match output.dtype().is_float() {
        true => Tensor { edge: Some(Edge::Output(node.clone(), i)), ..output },
        false => output,
    };
    Ok(outputs.into_iter().enumerate().map(place).collect())
}

fn node<B: Backward>(
    operation: B,
    inputs: &[&Tensor],
    saved: &[Save<'_>],
    outputs: &[Tensor],
    location: &'static Location<'static>,
) -> Arc<Node> {
    let input = |t: &&Tensor| {
        let edge = t.edge.clone()?;
        Some(Input { edge, shape: t.shape().clone(), dtype: t.dtype() })
    };
    let keep = |save: &Save<'_>| match save {
        Save::Input(i) => Saved::Tensor(inputs[*i].clone()),
        Save::Value(tensor) => Saved::Tensor(tensor.detach()),
        Save::Output(i) => Saved::Output {
            storage: outputs[*i].storage.clone(),
            layout: outputs[*i].layout.clone(),
            number: *i,
        },
    };
    let inputs_of_node = inputs.iter().map(input).collect();
    let outputs_of_node =
        outputs.iter().map(|_| Output { hooks: Hooks::default(), retained: Mutex::new(None) }).collect();
    let saved = saved.iter().map(keep).collect();
    Arc::new(Node::new(operation, location, inputs_of_node, outputs_of_node, saved))
}
