//! The backward pass: a queue of nodes, newest first.
//!
//! A node is visited once, when every gradient that can reach it has: whatever used its outputs was recorded
//! later and so has been visited before. The engine, not the operations, undoes broadcasting, checks what
//! comes out, adds gradients up, runs hooks and lets go of saved tensors.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::context::Context;
use super::few::Few;
use super::gradient::Gradient;
use super::handle::NodeRef;
use super::node::{Edge, Input, Node};
use super::wanted::Wanted;
use super::{Leaf, anomaly, set_grad_enabled};
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
struct Pending<'g> {
    node: &'g NodeRef,
    grads: Few<Option<Gradient>>,
}

/// The nodes that gradients have arrived at, by their numbers.
///
/// The newest, which is visited next, is kept apart: in a chain of operations it is the only one.
#[derive(Default)]
struct Queue<'g> {
    newest: Option<Pending<'g>>,
    /// All others; empty where there is no newest.
    older: BTreeMap<u64, Pending<'g>>,
}

/// One backward pass. Handles to nodes and leaves are borrowed from the graph, which does not change and which the
/// outputs that the pass began with keep alive.
struct Pass<'g> {
    options: BackwardOptions,
    queue: Queue<'g>,
    /// What is to be added to the slots of leaves and of tensors that retain their gradient, oldest first.
    arrived: BTreeMap<u64, (&'g Arc<Leaf>, Gradient)>,
    /// What `autograd::grad` was asked for; `None` in an ordinary backward pass.
    wanted: Option<&'g Wanted>,
    /// The wanted gradients of outputs.
    found: HashMap<(u64, u32), Tensor>,
    taken: Taken<'g>,
}

/// The saved tensors that a pass took out of nodes, newest first. They are kept until the pass has come to its end; where
/// it does not (an error, a panic), they are put back, and the graph is what it was.
#[derive(Default)]
struct Taken<'g>(Vec<(&'g NodeRef, Few<Tensor>)>);

impl Taken<'_> {
    fn let_go(&mut self) {
        self.0.drain(..).for_each(drop);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|(node, saved)| *node.saved() = Some(saved));
    }
}

/// Where gradients are wanted, and, unless that is allowed, the error for a target of this number that gets none.
pub(crate) type Targets<'a> = (&'a [&'a Edge], Option<&'a dyn Fn(usize) -> Error>);

/// Goes back from the given edges with the given gradients. With `targets` the gradients that arrive there
/// are returned and no leaf is touched; without, they are added into the leaves. Where one of the targets gets none and
/// there is an error for that, the pass fails.
#[track_caller]
pub(crate) fn backward(
    roots: Vec<(&Edge, Tensor)>,
    targets: Option<Targets<'_>>,
    options: BackwardOptions,
) -> Result<Vec<Option<Tensor>>> {
    match run(roots, targets, options) {
        Ok(grads) => Ok(grads),
        Err(error) => Err(error.at_caller_of_library()),
    }
}

fn run(
    roots: Vec<(&Edge, Tensor)>,
    targets: Option<Targets<'_>>,
    options: BackwardOptions,
) -> Result<Vec<Option<Tensor>>> {
    let _mode = set_grad_enabled(options.create_graph);
    let wanted = targets.map(|(targets, _)| Wanted::new(roots.iter().map(|(edge, _)| *edge), targets));
    let mut pass = Pass {
        options,
        queue: Queue::default(),
        arrived: BTreeMap::new(),
        wanted: wanted.as_ref(),
        found: HashMap::new(),
        taken: Taken::default(),
    };
    for (edge, grad) in roots {
        pass.deliver(edge, grad.into())?;
    }
    while let Some(pending) = pass.queue.pop() {
        pass.visit(pending)?;
    }
    for (leaf, grad) in pass.arrived.values_mut().filter(|(leaf, _)| !leaf.hooks.are_none()) {
        let whole = grad.dense()?.clone();
        *grad = leaf.hooks.apply(whole.clone(), &format_args!("a leaf of shape {}", whole.shape()))?.into();
    }
    let Some((targets, unused)) = targets else {
        add_to_slots(pass.arrived.into_values().collect())?;
        pass.taken.let_go();
        return Ok(Vec::new());
    };
    let grad = |edge: &&Edge| match edge {
        Edge::Leaf(leaf) => pass.arrived.get_mut(&leaf.id).map(|(_, grad)| grad.dense().cloned()).transpose(),
        Edge::Output(node, i) => Ok(pass.found.get(&(node.sequence, *i)).cloned()),
    };
    let grads = targets.iter().map(grad).collect::<Result<Vec<Option<Tensor>>>>()?;
    if let Some(unused) = unused
        && let Some(target) = grads.iter().position(Option::is_none)
    {
        return Err(unused(target));
    }
    pass.taken.let_go();
    Ok(grads)
}

impl<'g> Queue<'g> {
    /// The newest node with its gradients, which are complete then.
    fn pop(&mut self) -> Option<Pending<'g>> {
        let newest = self.newest.take();
        if !self.older.is_empty() {
            self.newest = self.older.pop_last().map(|(_, pending)| pending);
        }
        newest
    }

    /// The gradients that have arrived at a node.
    fn grads(&mut self, node: &'g NodeRef) -> &mut [Option<Gradient>] {
        let new = || Pending { node, grads: node.outputs.iter().map(|_| None).collect() };
        let pending = match &self.newest {
            Some(newest) if newest.node.sequence > node.sequence => {
                self.older.entry(node.sequence).or_insert_with(new)
            }
            newest => {
                let is_newest = newest.as_ref().is_some_and(|newest| newest.node.sequence == node.sequence);
                if !is_newest && let Some(newest) = self.newest.replace(new()) {
                    self.older.insert(newest.node.sequence, newest);
                }
                self.newest.get_or_insert_with(new)
            }
        };
        &mut pending.grads
    }
}

impl<'g> Pass<'g> {
    /// Adds a gradient to what has arrived at a place.
    fn deliver(&mut self, edge: &'g Edge, grad: Gradient) -> Result<()> {
        let grad = grad.untracked();
        match edge {
            Edge::Leaf(leaf) => match self.arrived.entry(leaf.id) {
                Entry::Occupied(mut entry) => entry.get_mut().1.add(grad)?,
                Entry::Vacant(entry) => _ = entry.insert((leaf, grad)),
            },
            Edge::Output(node, i) => match &mut self.queue.grads(node)[*i as usize] {
                Some(sum) => sum.add(grad)?,
                slot => *slot = Some(grad),
            },
        }
        Ok(())
    }

    /// Goes back through one node.
    fn visit(&mut self, Pending { node, mut grads }: Pending<'g>) -> Result<()> {
        self.settle(node, &mut grads)?;
        let leads_on = |input: &Option<Input>| match (input, self.wanted) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(input), Some(wanted)) => wanted.includes(&input.edge),
        };
        let inputs = &*node.inputs;
        let needs: Few<bool> = inputs.iter().map(leads_on).collect();
        if !needs.contains(&true) {
            return Ok(());
        }
        let placed = self.take_saved(node)?;
        let saved =
            placed.as_ref().or(self.taken.0.last().map(|(_, saved)| saved)).map_or(&[][..], |saved| saved);
        if !node.operation.takes_parts() {
            put_together(&mut grads)?;
        }
        if !self.options.create_graph {
            let ctx = Context { operation: &*node.operation, grads: &grads, saved, needs: &needs };
            let part = node
                .operation
                .partial(&ctx)
                .map_err(|e| e.context(format_args!("going back through {node}")))?;
            if let (Some(parts), Some(Some(input))) = (part, inputs.first()) {
                let mut grad = Gradient::Parts(Box::new(parts));
                if anomaly::is_detecting() {
                    grad = fitted(node, 0, input, grad.into_dense()?)?.into();
                }
                return self.deliver(&input.edge, grad);
            }
            put_together(&mut grads)?;
        }
        let ctx = Context { operation: &*node.operation, grads: &grads, saved, needs: &needs };
        let results = node.operation.gradients(&ctx, self.options.create_graph);
        let mut results = results.map_err(|e| e.context(format_args!("going back through {node}")))?;
        if results.len() != needs.len() {
            let (given, count) = (results.len(), needs.len());
            return Err(fault(
                node,
                ErrorKind::Graph,
                format!("the backward formula returned {given} gradients for {count} inputs"),
            ));
        }
        drop((placed, grads));
        for (number, (result, input)) in results.iter_mut().zip(inputs).enumerate() {
            let (Some(grad), Some(input), true) = (result.take(), input, needs[number]) else { continue };
            let grad = fitted(node, number, input, grad)?;
            self.deliver(&input.edge, grad.into())?;
        }
        Ok(())
    }

    /// The gradients of a node's outputs are complete: runs hooks, keeps what is to be kept.
    fn settle(&mut self, node: &'g NodeRef, grads: &mut [Option<Gradient>]) -> Result<()> {
        for ((slot, output), number) in grads.iter_mut().zip(&*node.outputs).zip(0..) {
            let wanted = self.wanted.is_some_and(|wanted| wanted.has_output(node, number));
            let watchers = output.watchers();
            if watchers.is_none() && !wanted {
                continue;
            }
            let Some(mut grad) = slot.take().map(Gradient::into_dense).transpose()? else { continue };
            if let Some(watchers) = watchers {
                grad = watchers.hooks.apply(grad, &format_args!("output {number} of {node}"))?;
            }
            if wanted {
                self.found.insert((node.sequence, number), grad.clone());
            }
            if self.wanted.is_none()
                && let Some(leaf) = output.retained()
            {
                self.arrived.insert(leaf.id, (leaf, grad.clone().into()));
            }
            *slot = Some(grad.into());
        }
        Ok(())
    }

    /// What the node saved; `None` where it was taken out of the node, unless the graph is to be kept, and is the last
    /// in [`Taken`].
    fn take_saved(&mut self, node: &'g NodeRef) -> Result<Option<Few<Tensor>>> {
        // A node that saved nothing can be walked again, as in PyTorch.
        if node.origins.is_empty() {
            return Ok(Some(Few::None));
        }
        let mut state = node.saved();
        let saved = match (self.options.create_graph, self.options.retain_graph) {
            (false, false) => state.take().map(|saved| {
                self.taken.0.push((node, saved));
                None
            }),
            (false, true) => state.as_ref().map(|saved| Some(saved.iter().cloned().collect())),
            // The formula is recorded, so outputs must be in their places in the graph too.
            (true, _) => state.as_mut().map(|saved| {
                let origins = node.origins.iter();
                Some(saved.iter_mut().zip(origins).map(|(saved, origin)| origin.place(saved, node)).collect())
            }),
        };
        saved.ok_or_else(|| {
            Error::new(
                ErrorKind::Graph,
                "backward",
                format!(
                    "the graph was walked before and its saved tensors are freed (at {node}): keep it with retain_graph the first time"
                ),
            )
        })
    }
}

/// A gradient that a formula gave for an input, summed down to the input's shape; an error where it cannot be one.
fn fitted(node: &Node, number: usize, input: &Input, grad: Tensor) -> Result<Tensor> {
    if grad.shape() == &input.shape && grad.dtype() == input.dtype && !anomaly::is_detecting() {
        return Ok(grad);
    }
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
    Error::at(kind, node.operation.name(), message, node.location)
}

/// Makes whole gradients of all that came in parts.
fn put_together(grads: &mut [Option<Gradient>]) -> Result<()> {
    grads.iter_mut().flatten().try_for_each(|grad| grad.dense().map(|_| ()))
}

/// How a slot gets its gradient.
enum Addition {
    /// The slot takes this gradient instead of what it holds.
    Replace(Gradient),
    /// This gradient is added to what the slot holds, which takes no memory.
    InPlace(Gradient),
    /// Nobody can ask for it.
    Nothing,
}

/// Adds gradients into slots: into all of them, or, where anything fails, into none.
fn add_to_slots(arrived: Vec<(&Arc<Leaf>, Gradient)>) -> Result<()> {
    // Held to the end, so that the slots stay as they were looked at. Taken in the order of the leaves' ages, as
    // every pass does, so that no two passes wait for each other.
    let mut slots: Vec<_> = arrived.iter().map(|(leaf, _)| leaf.grad()).collect();
    // First whatever can fail, which is whatever takes memory.
    let mut additions = Vec::with_capacity(slots.len());
    for (slot, (leaf, grad)) in slots.iter().zip(arrived) {
        if !leaf.has_owner() {
            additions.push(Addition::Nothing);
            continue;
        }
        let grad = grad.at_rest()?;
        additions.push(match &**slot {
            None => Addition::Replace(grad.storable()?),
            Some(sum) if !sum.takes(&grad) => {
                let mut sum = sum.clone();
                sum.add(grad)?;
                Addition::Replace(sum)
            }
            Some(_) => Addition::InPlace(grad),
        });
    }
    // What is replaced is dropped after the locks: its graph may hold anything.
    let mut replaced = Vec::with_capacity(slots.len());
    for (slot, addition) in slots.iter_mut().zip(additions) {
        match (addition, slot.as_mut()) {
            (Addition::InPlace(grad), Some(sum)) => sum.add(grad)?,
            (Addition::Replace(grad) | Addition::InPlace(grad), _) => replaced.push(slot.replace(grad)),
            (Addition::Nothing, _) => {}
        }
    }
    drop(slots);
    Ok(())
}
