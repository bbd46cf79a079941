//! The backward pass: a queue of nodes, newest first.
//!
//! A node is visited once, when every gradient that can reach it has: whatever used its outputs was recorded
//! later and so has been visited before. The engine, not the operations, undoes broadcasting, checks what
//! comes out, adds gradients up, runs hooks and lets go of saved tensors.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::node::{Context, Edge, Node, SavedState};
use super::{Leaf, anomaly, is_grad_enabled, set_grad_enabled};
use crate::{Error, ErrorKind, Result, Tensor, bail};

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
    node: Arc<Node>,
    grads: Vec<Option<Tensor>>,
}

/// Names a place in the graph: a leaf, or an output of a node.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Leaf(u64),
    Output(u64, usize),
}

impl Place {
    fn of(edge: &Edge) -> Place {
        match edge {
            Edge::Leaf(leaf) => Place::Leaf(leaf.id),
            Edge::Output(node, i) => Place::Output(node.sequence, *i),
        }
    }
}

/// One backward pass.
struct Pass<'a> {
    options: BackwardOptions,
    queue: BTreeMap<u64, Pending>,
    leaves: BTreeMap<u64, (Arc<Leaf>, Tensor)>,
    /// What `autograd::grad` was asked for; `None` in an ordinary backward pass.
    wanted: Option<&'a Wanted>,
    found: HashMap<Place, Tensor>,
}

/// The places whose gradients are wanted and the nodes on the way to them.
struct Wanted {
    places: HashSet<Place>,
    nodes: HashSet<u64>,
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
        leaves: BTreeMap::new(),
        wanted: wanted.as_ref(),
        found: HashMap::new(),
    };
    for (edge, grad) in roots {
        pass.deliver(&edge, grad)?;
    }
    while let Some((_, pending)) = pass.queue.pop_last() {
        pass.visit(pending)?;
    }
    // Only now, so that a pass that fails halfway leaves every gradient as it was.
    for (_, (leaf, grad)) in std::mem::take(&mut pass.leaves) {
        let grad = leaf.hooks.apply(grad);
        match pass.wanted {
            Some(_) => _ = pass.found.insert(Place::Leaf(leaf.id), grad),
            None => add_into(&leaf, grad)?,
        }
    }
    Ok(targets.unwrap_or_default().iter().map(|edge| pass.found.get(&Place::of(edge)).cloned()).collect())
}

impl Pass<'_> {
    /// Adds a gradient to what has arrived at a place.
    fn deliver(&mut self, edge: &Edge, grad: Tensor) -> Result<()> {
        match edge {
            Edge::Leaf(leaf) => {
                let sum = match self.leaves.remove(&leaf.id) {
                    Some((_, sum)) => accumulate(sum, grad)?,
                    None => grad,
                };
                self.leaves.insert(leaf.id, (leaf.clone(), sum));
            }
            Edge::Output(node, i) => {
                let pending = self
                    .queue
                    .entry(node.sequence)
                    .or_insert_with(|| Pending { node: node.clone(), grads: vec![None; node.outputs.len()] });
                let slot = &mut pending.grads[*i];
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
        let needs: Vec<bool> =
            node.inputs.iter().map(|i| i.as_ref().is_some_and(|i| leads_on(&i.edge))).collect();
        if !needs.contains(&true) {
            return Ok(());
        }
        let saved = self.take_saved(&node)?;
        let ctx = Context { grads: &grads, saved: &saved, needs: &needs };
        let results = match self.options.create_graph {
            true => node.operation.backward(&ctx),
            false => node.operation.backward_fused(&ctx),
        };
        let results = results.map_err(|e| e.context(way_back(&node)))?;
        if results.len() != needs.len() {
            bail!(
                Graph,
                node.operation.name(),
                "the backward formula returned {} gradients for {} inputs",
                results.len(),
                needs.len()
            );
        }
        drop((saved, grads));
        for (number, (result, input)) in results.into_iter().zip(&node.inputs).enumerate() {
            let (Some(grad), Some(input), true) = (result, input, needs[number]) else { continue };
            if grad.dtype() != input.dtype {
                bail!(
                    Graph,
                    node.operation.name(),
                    "the backward formula gave a gradient of {} for input {number} of {}",
                    grad.dtype(),
                    input.dtype
                );
            }
            let grad = grad.sum_to(&input.shape).map_err(|e| {
                e.context(format!("{}, input {number} of shape {}", way_back(&node), input.shape))
            })?;
            if anomaly::is_detecting()
                && let Some(fault) = anomaly::check_gradient(&grad)?
            {
                bail!(
                    NotFinite,
                    node.operation.name(),
                    "anomaly detection: {}, the gradient of input {number} {fault}",
                    way_back(&node)
                );
            }
            self.deliver(&input.edge, grad)?;
        }
        Ok(())
    }

    /// The gradients of a node's outputs are complete: runs hooks, keeps what is to be kept.
    fn settle(&mut self, node: &Arc<Node>, grads: &mut [Option<Tensor>]) -> Result<()> {
        for (number, slot) in grads.iter_mut().enumerate() {
            let Some(grad) = slot.take() else { continue };
            let output = &node.outputs[number];
            let grad = output.hooks.apply(grad);
            let place = Place::Output(node.sequence, number);
            if self.wanted.is_some_and(|wanted| wanted.places.contains(&place)) {
                self.found.insert(place, grad.clone());
            }
            if self.wanted.is_none()
                && let Some(leaf) = &*output.retained.lock().unwrap_or_else(|e| e.into_inner())
            {
                add_into(leaf, grad.clone())?;
            }
            *slot = Some(grad);
        }
        Ok(())
    }

    /// What the node saved, taken out of it unless the graph is to be kept.
    fn take_saved(&self, node: &Arc<Node>) -> Result<Vec<Tensor>> {
        let mut state = node.saved();
        let SavedState::Kept(saved) = &*state else {
            let at = node.location;
            return Err(Error::new(
                ErrorKind::Graph,
                "backward",
                format!(
                    "the graph was walked before and its saved tensors are freed (at {}, called at {}:{}:{}): keep it with retain_graph the first time",
                    node.operation.name(),
                    at.file(),
                    at.line(),
                    at.column()
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

/// Names a node in messages.
fn way_back(node: &Node) -> String {
    let at = node.location;
    format!(
        "going back through {} called at {}:{}:{}",
        node.operation.name(),
        at.file(),
        at.line(),
        at.column()
    )
}

/// The sum of two gradients: in place where nobody else can see the first.
fn accumulate(sum: Tensor, grad: Tensor) -> Result<Tensor> {
    match is_grad_enabled() {
        true => sum.add(&grad),
        false => sum.add_into(&grad),
    }
}

fn add_into(leaf: &Leaf, grad: Tensor) -> Result<()> {
    let mut slot = leaf.grad();
    *slot = Some(match slot.take() {
        Some(sum) => accumulate(sum, grad)?,
        None => grad.contiguous()?,
    });
    Ok(())
}

impl Wanted {
    /// Finds, without recursion, which nodes lie between the roots and the targets.
    fn new(roots: &[(Edge, Tensor)], targets: &[Edge]) -> Wanted {
        let mut wanted = Wanted { places: targets.iter().map(Place::of).collect(), nodes: HashSet::new() };
        let mut reached: BTreeMap<u64, Arc<Node>> = BTreeMap::new();
        let mut todo: Vec<Arc<Node>> = Vec::new();
        let visit = |edge: &Edge, reached: &mut BTreeMap<u64, Arc<Node>>, todo: &mut Vec<Arc<Node>>| {
            if let Edge::Output(node, _) = edge
                && reached.insert(node.sequence, node.clone()).is_none()
            {
                todo.push(node.clone());
            }
        };
        roots.iter().for_each(|(edge, _)| visit(edge, &mut reached, &mut todo));
        while let Some(node) = todo.pop() {
            node.inputs.iter().flatten().for_each(|input| visit(&input.edge, &mut reached, &mut todo));
        }
        // Oldest first: whether an input leads on is known before its users are looked at.
        for (sequence, node) in &reached {
            if node.inputs.iter().flatten().any(|input| wanted.includes(&input.edge)) {
                wanted.nodes.insert(*sequence);
            }
        }
        wanted
    }

    fn includes(&self, edge: &Edge) -> bool {
        self.places.contains(&Place::of(edge))
            || matches!(edge, Edge::Output(node, _) if self.nodes.contains(&node.sequence))
    }
}
