//! [`Wanted`]: what `autograd::grad` was asked for, and the way there.

use std::collections::{BTreeMap, HashSet};

use super::handle::NodeRef;
use super::node::Edge;
use crate::Tensor;

/// Names a place in the graph: a leaf, or an output of a node.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Leaf(u64),
    Output(u64, usize),
}

impl Place {
    pub(super) fn of(edge: &Edge) -> Place {
        match edge {
            Edge::Leaf(leaf) => Place::Leaf(leaf.id),
            Edge::Output(node, i) => Place::Output(node.entry.sequence, *i),
        }
    }
}

/// The places whose gradients are wanted and the nodes on the way to them.
pub(super) struct Wanted {
    places: HashSet<Place>,
    nodes: HashSet<u64>,
}

impl Wanted {
    /// Finds, without recursion, which nodes lie between the roots and the targets.
    pub(super) fn new(roots: &[(Edge, Tensor)], targets: &[Edge]) -> Wanted {
        let mut wanted = Wanted { places: targets.iter().map(Place::of).collect(), nodes: HashSet::new() };
        let mut reached: BTreeMap<u64, NodeRef> = BTreeMap::new();
        let mut todo: Vec<NodeRef> = Vec::new();
        let visit = |edge: &Edge, reached: &mut BTreeMap<u64, NodeRef>, todo: &mut Vec<NodeRef>| {
            if let Edge::Output(node, _) = edge
                && reached.insert(node.entry.sequence, node.clone()).is_none()
            {
                todo.push(node.clone());
            }
        };
        roots.iter().for_each(|(edge, _)| visit(edge, &mut reached, &mut todo));
        while let Some(node) = todo.pop() {
            node.entry.inputs.iter().flatten().for_each(|input| visit(&input.edge, &mut reached, &mut todo));
        }
        // Oldest first: whether an input leads on is known before its users are looked at.
        for (sequence, node) in &reached {
            if node.entry.inputs.iter().flatten().any(|input| wanted.includes(&input.edge)) {
                wanted.nodes.insert(*sequence);
            }
        }
        wanted
    }

    /// Whether the gradient of this place is wanted itself.
    pub(super) fn has(&self, place: Place) -> bool {
        self.places.contains(&place)
    }

    /// Whether a gradient that goes this way gets to a wanted place.
    pub(super) fn includes(&self, edge: &Edge) -> bool {
        self.has(Place::of(edge))
            || matches!(edge, Edge::Output(node, _) if self.nodes.contains(&node.entry.sequence))
    }
}
