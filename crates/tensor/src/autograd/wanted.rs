//! [`Wanted`]: what `autograd::grad` was asked for, and the way there.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::handle::NodeRef;
use super::node::Edge;

/// The places whose gradients are wanted and the nodes on the way to them.
pub(super) struct Wanted {
    leaves: Numbers,
    /// Outputs, as the numbers of a node and of an output of it.
    outputs: HashSet<(u64, u32)>,
    nodes: Numbers,
}

impl Wanted {
    /// Finds, without recursion, which nodes lie between the roots and the targets.
    pub(super) fn new<'g>(roots: impl Iterator<Item = &'g Edge> + Clone, targets: &[&Edge]) -> Wanted {
        let mut wanted =
            Wanted { leaves: Numbers::default(), outputs: HashSet::new(), nodes: Numbers::default() };
        let leaf = |edge: &&Edge| match edge {
            Edge::Leaf(leaf) => leaf.id,
            Edge::Output(..) => 0,
        };
        wanted.leaves.expect_up_to(targets.iter().map(leaf).max().unwrap_or(0));
        for target in targets {
            match target {
                Edge::Leaf(leaf) => _ = wanted.leaves.insert(leaf.id),
                Edge::Output(node, i) => _ = wanted.outputs.insert((node.sequence, *i)),
            }
        }
        let mut reached = Numbers::default();
        let mut nodes: Vec<&NodeRef> = Vec::new();
        // Roots are newer than all else that is reached from them, mostly.
        reached.expect_up_to(roots.clone().map(newest).max().unwrap_or(0));
        let mut reach = |edge: &'g Edge, nodes: &mut Vec<&'g NodeRef>| {
            if let Edge::Output(node, _) = edge
                && reached.insert(node.sequence)
            {
                nodes.push(node);
            }
        };
        roots.for_each(|edge| reach(edge, &mut nodes));
        let mut next = 0;
        while let Some(&node) = nodes.get(next) {
            node.inputs.iter().flatten().for_each(|input| reach(&input.edge, &mut nodes));
            next += 1;
        }
        // Oldest first: whether an input leads on is known before its users are looked at.
        nodes.sort_unstable_by_key(|node| node.sequence);
        wanted.nodes.expect_up_to(nodes.last().map_or(0, |node| node.sequence));
        for node in nodes {
            if node.inputs.iter().flatten().any(|input| wanted.includes(&input.edge)) {
                wanted.nodes.insert(node.sequence);
            }
        }
        wanted
    }

    /// Whether the gradient of this output of a node is wanted itself.
    pub(super) fn has_output(&self, node: &NodeRef, i: u32) -> bool {
        !self.outputs.is_empty() && self.outputs.contains(&(node.sequence, i))
    }

    /// Whether a gradient that goes this way gets to a wanted place.
    pub(super) fn includes(&self, edge: &Edge) -> bool {
        match edge {
            Edge::Leaf(leaf) => self.leaves.contains(leaf.id),
            Edge::Output(node, i) => self.nodes.contains(node.sequence) || self.has_output(node, *i),
        }
    }
}

fn newest(root: &Edge) -> u64 {
    match root {
        Edge::Leaf(_) => 0,
        Edge::Output(node, _) => node.sequence,
    }
}

/// A set of numbers of which many are neighbours, as nodes and leaves are that were made one after the other: of 64
/// numbers there is one word of bits.
#[derive(Default)]
struct Numbers {
    /// The word of the largest number that was expected, and those before it, backwards.
    near: Vec<u64>,
    largest: u64,
    far: HashMap<u64, u64, BuildHasherDefault<Scramble>>,
}

/// So many words are kept side by side at most.
const NEAR: u64 = 1024;

impl Numbers {
    /// Says in advance, of an empty set, about which number the largest will be.
    fn expect_up_to(&mut self, number: u64) {
        self.largest = number / 64;
    }

    /// Adds a number; says whether it is new.
    fn insert(&mut self, number: u64) -> bool {
        let (word, bit) = (number / 64, 1 << (number % 64));
        let bits = match self.largest.checked_sub(word) {
            Some(back) if back < NEAR => {
                let back = back as usize;
                if back >= self.near.len() {
                    self.near.resize(back + 1, 0);
                }
                &mut self.near[back]
            }
            _ => self.far.entry(word).or_default(),
        };
        let new = *bits & bit == 0;
        *bits |= bit;
        new
    }

    fn contains(&self, number: u64) -> bool {
        let (word, bit) = (number / 64, 1 << (number % 64));
        let bits = match self.largest.checked_sub(word) {
            Some(back) if back < NEAR => self.near.get(back as usize),
            _ => self.far.get(&word),
        };
        bits.is_some_and(|bits| bits & bit != 0)
    }
}

/// Hashes a number by one multiplication. The numbers are our own, so nobody can choose them badly.
#[derive(Default)]
struct Scramble(u64);

impl Hasher for Scramble {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(self.0 ^ u64::from(byte)));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        let mut numbers = Numbers::default();
        numbers.expect_up_to(100_000);
        let members = [100_000, 0, 1, 63, 64, 1000, 99_999, 100_100, 300_000, u64::MAX];
        assert!(members.iter().all(|&n| numbers.insert(n)));
        assert!(members.iter().all(|&n| !numbers.insert(n) && numbers.contains(n)));
        assert!([2, 62, 65, 999, 99_998, 100_001, 1 << 40].iter().all(|&n| !numbers.contains(n)));
    }
}
