//! The backward pass: a queue of nodes, newest first.
//!
//! A node is visited once, when every gradient that can reach it has: whatever used its outputs was recorded
//! later and so has been visited before. The engine, not the operations, undoes broadcasting, checks what
//! comes out, adds gradients up, runs hooks and lets go of saved tensors.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::context::Context;
use super::handle::NodeRef;
use super::node::{Edge, Input, Node, SavedState};
use super::wanted::{Place, Wanted};
use super::{Leaf, anomaly, is_grad_enabled, set_grad_enabled};
use crate::{Error, ErrorKind, Result, Tensor};

/// How to go back.
#[derive(Clone, Copy, Default)]
pub(crate) struct BackwardOptions {
    /// Keep what the nodes saved, so that the graph can be walked again.
    pub(crate) retain_graph: bool,
    /// Record the backward pass itself, so that its results can be differentiated.
    pub(crate) create_graph: bool,
}

/// The gradients that have arrived for the outputs of a node.
struct Pending {
    node: NodeRef,
    grads: Vec<Option<Tensor>>,
}

/// One backward pass.
struct Pass<'a> {
    options: BackwardOptions,
    queue: BTreeMap<u64, Pending>,
    /// What is to be added to the slots of leaves and of tensors that retain their gradient.
    arrived: BTreeMap<u64, (Arc<Leaf>, Tensor)>,
    /// What `autograd::grad` was asked for; `None` in an ordinary backward pass.
    wanted: Option<&'a Wanted>,
    found: HashMap<Place, Tensor>,
}

/// Goes back from the given edges with the given gradients. With `targets` the gradients that arrive there
/// are returned and no leaf is touched; without, they are added into the leaves.
pub(crate) fn backward(
    roots: Vec<(Edge, Tensor)>,
    targets: Option<&[Edge]>,
    options: BackwardOptions,
) -> Result<Vec<Option<Tensor>>> {
    let _mode = set_grad_enabled(options.create_graph);
    let wanted = targets.map(|targets| Wanted::new(&roots, targets));
    let mut pass = Pass {
        options,
        queue: BTreeMap::new(),
        arrived: BTreeMap::new(),
        wanted: wanted.as_ref(),
        found: HashMap::new(),
    };
    for (edge, grad) in roots {
        pass.deliver(&edge, grad)?;
    }
    while let Some((_, pending)) = pass.queue.pop_last() {
        pass.visit(pending)?;
    }
    for (leaf, grad) in pass.arrived.values_mut() {
        *grad = leaf.hooks.apply(grad.clone(), &format_args!("a leaf of shape {}", grad.shape()))?;
    }
    match targets {
        None => add_to_slots(pass.arrived.into_values().collect()).map(|()| Vec::new()),
        Some(targets) => {
            let leaves = pass.arrived.into_values().map(|(leaf, grad)| (Place::Leaf(leaf.id), grad));
            pass.found.extend(leaves);
            Ok(targets.iter().map(|edge| pass.found.get(&Place::of(edge)).cloned()).collect())
        }
    }
}

impl Pass<'_> {
    /// Adds a gradient to what has arrived at a place.
    fn deliver(&mut self, edge: &Edge, grad: Tensor) -> Result<()> {
        match edge {
            Edge::Leaf(leaf) => {
                let sum = match self.arrived.remove(&leaf.id) {
                    Some((_, sum)) => accumulate(sum, grad)?,
                    None => grad,
                };
                self.arrived.insert(leaf.id, (leaf.clone(), sum));
            }
            Edge::Output(node, i) => {
                let new = || Pending { node: node.clone(), grads: vec![None; node.entry.outputs.len()] };
                let slot = &mut self.queue.entry(node.entry.sequence).or_insert_with(new).grads[*i];
                *slot = Some(match slot.take() {
                    Some(sum) => accumulate(sum, grad)?,
                    None => grad,
                });
            }
        }
        Ok(())
    }

    /// Goes back through one node.
    fn visit(&mut self, Pending { node, mut grads }: Pending) -> Result<()> {
        self.settle(&node, &mut grads)?;
        let leads_on = |edge: &Edge| match self.wanted {
            None => true,
            Some(wanted) => wanted.includes(edge),
        };
        let inputs = &node.entry.inputs;
        let needs: Vec<bool> = inputs.iter().map(|i| i.as_ref().is_some_and(|i| leads_on(&i.edge))).collect();
        if !needs.contains(&true) {
            return Ok(());
        }
        let saved = self.take_saved(&node)?;
        let ctx = Context { operation: node.operation.name(), grads: &grads, saved: &saved, needs: &needs };
        let results = match self.options.create_graph {
            true => node.operation.backward(&ctx),
            false => node.operation.backward_fused(&ctx),
        };
        let results = results.map_err(|e| e.context(format_args!("going back through {node}")))?;
        if results.len() != needs.len() {
            let (given, count) = (results.len(), needs.len());
            return Err(fault(
                &node,
                ErrorKind::Graph,
                format!("the backward formula returned {given} gradients for {count} inputs"),
            ));
        }
        drop((saved, grads));
        for (number, (result, input)) in results.into_iter().zip(inputs).enumerate() {
            let (Some(grad), Some(input), true) = (result, input, needs[number]) else { continue };
            let grad = fitted(&node, number, input, grad)?;
            self.deliver(&input.edge, grad)?;
        }
        Ok(())
    }

    /// The gradients of a node's outputs are complete: runs hooks, keeps what is to be kept.
    fn settle(&mut self, node: &NodeRef, grads: &mut [Option<Tensor>]) -> Result<()> {
        for (number, slot) in grads.iter_mut().enumerate() {
            let Some(grad) = slot.take() else { continue };
            let output = &node.entry.outputs[number];
            let grad = output.hooks.apply(grad, &format_args!("output {number} of {node}"))?;
            let place = Place::Output(node.entry.sequence, number);
            if self.wanted.is_some_and(|wanted| wanted.has(place)) {
                self.found.insert(place, grad.clone());
            }
            if self.wanted.is_none()
                && let Some(leaf) = &*output.retained()
            {
                self.arrived.insert(leaf.id, (leaf.clone(), grad.clone()));
            }
            *slot = Some(grad);
        }
        Ok(())
    }

    /// What the node saved, taken out of it unless the graph is to be kept.
    fn take_saved(&self, node: &NodeRef) -> Result<Vec<Tensor>> {
        let mut state = node.entry.saved();
        let SavedState::Kept(saved) = &*state else {
            return Err(Error::new(
                ErrorKind::Graph,
                "backward",
                format!(
                    "the graph was walked before and its saved tensors are freed (at {node}): keep it with retain_graph the first time"
                ),
            ));
        };
        let tensors = saved.iter().map(|s| s.to_tensor(node)).collect();
        let keep = self.options.retain_graph || self.options.create_graph;
        // A node that saved nothing can be walked again, as in PyTorch.
        if !keep && !saved.is_empty() {
            *state = SavedState::Released;
        }
        Ok(tensors)
    }
}

/// A gradient that a formula gave for an input, summed down to the input's shape; an error where it cannot be one.
fn fitted(node: &Node, number: usize, input: &Input, grad: Tensor) -> Result<Tensor> {
    if grad.dtype() != input.dtype {
        let (given, wanted) = (grad.dtype(), input.dtype);
        return Err(fault(
            node,
            ErrorKind::DType,
            format!("the backward formula gave a gradient of {given} for input {number} of {wanted}"),
        ));
    }
    if !input.shape.broadcasts_to(grad.shape()) {
        let (given, wanted) = (grad.shape(), &input.shape);
        return Err(fault(
            node,
            ErrorKind::Shape,
            format!(
                "the backward formula gave a gradient of shape {given} for input {number} of shape {wanted}, which does not broadcast to it"
            ),
        ));
    }
    let grad = grad.sum_to(&input.shape)?;
    if anomaly::is_detecting()
        && let Some(what) = anomaly::check_gradient(&grad)?
    {
        return Err(fault(
            node,
            ErrorKind::NotFinite,
            format!("anomaly detection: going back, the gradient of input {number} {what}"),
        ));
    }
    Ok(grad)
}

/// What is wrong with what an operation's formula gave, at the place where the operation was called.
fn fault(node: &Node, kind: ErrorKind, message: String) -> Error {
    Error::at(kind, node.operation.name(), message, node.entry.location)
}

/// The sum of two gradients: in place where nobody else can see the first.
fn accumulate(sum: Tensor, grad: Tensor) -> Result<Tensor> {
    match is_grad_enabled() {
        true => sum.add(&grad),
        false => sum.add_into(&grad),
    }
}

/// How a slot gets its gradient.
enum Addition {
    /// The slot takes this tensor instead of what it holds.
    Replace(Tensor),
    /// This contiguous tensor is added to what the slot holds, in its memory.
    InPlace(Tensor),
}

/// Adds gradients into slots: into all of them, or, where anything fails, into none.
fn add_to_slots(arrived: Vec<(Arc<Leaf>, Tensor)>) -> Result<()> {
    // Held to the end, so that the slots stay as they were looked at. Taken in the order of the leaves' ages, as
    // every pass does, so that no two passes wait for each other.
    let mut slots: Vec<_> = arrived.iter().map(|(leaf, _)| leaf.grad()).collect();
    // First whatever can fail, which is whatever takes memory.
    let mut additions = Vec::with_capacity(slots.len());
    for (slot, (_, grad)) in slots.iter().zip(&arrived) {
        additions.push(match &**slot {
            None => Addition::Replace(grad.contiguous()?),
            Some(sum) if is_grad_enabled() || !sum.is_updatable() => Addition::Replace(sum.add(grad)?),
            Some(_) => Addition::InPlace(grad.contiguous()?),
        });
    }
    // What is replaced is dropped after the locks: its graph may hold anything.
    let mut replaced = Vec::with_capacity(slots.len());
    for (slot, addition) in slots.iter_mut().zip(additions) {
        match (addition, slot.as_mut()) {
            (Addition::InPlace(grad), Some(sum)) => sum.add_in_place(&grad)?,
            (Addition::Replace(grad) | Addition::InPlace(grad), _) => replaced.push(slot.replace(grad)),
        }
    }
    drop(slots);
    Ok(())
}
