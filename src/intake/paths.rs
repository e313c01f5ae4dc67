//! Paths: the keys of a JSON object that matter, as a tree to walk while parsing.

use super::field::FIELDS;

/// Keys longer than this share a bucket.
const BUCKETS: usize = 32;

/// Where a value goes: the slot of a field or dimension, and the rank of this path among the slot's candidates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub slot: usize,
    pub rank: u8,
}

/// What lies behind one key.
#[derive(Debug, Default)]
pub(super) struct Edge {
    pub targets: Vec<Target>,
    /// The node for keys of an object found here.
    pub child: Option<usize>,
}

/// Keys and their edge, by the length of the key.
type Node = [Vec<(Box<str>, usize)>; BUCKETS];

/// Mapped paths. `usage.prompt_tokens` is found as a key `prompt_tokens` in an object `usage`, and as one key with a
/// dot in its name; a row that has both is ambiguous and counts as a duplicate.
#[derive(Debug)]
pub(super) struct PathTree {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

fn bucket(key: &str) -> usize {
    key.len().min(BUCKETS - 1)
}

impl PathTree {
    pub fn new(columns: &[Vec<String>; FIELDS], dimensions: &[String]) -> Self {
        let mut tree = Self { nodes: vec![Default::default()], edges: Vec::new() };
        for (slot, candidates) in columns.iter().enumerate() {
            for (rank, path) in candidates.iter().enumerate() {
                let rank = u8::try_from(rank).unwrap_or(u8::MAX - 1).min(u8::MAX - 1);
                tree.insert(path, Target { slot, rank });
            }
        }
        for (i, path) in dimensions.iter().enumerate() {
            tree.insert(path, Target { slot: FIELDS + i, rank: 0 });
        }
        tree
    }

    fn insert(&mut self, path: &str, target: Target) {
        let whole = self.edge(0, path);
        self.edges[whole].targets.push(target);
        if !path.contains('.') {
            return;
        }
        let mut node = 0;
        let mut keys = path.split('.').peekable();
        while let Some(key) = keys.next() {
            let edge = self.edge(node, key);
            if keys.peek().is_none() {
                self.edges[edge].targets.push(target);
            } else if let Some(child) = self.edges[edge].child {
                node = child;
            } else {
                node = self.nodes.len();
                self.nodes.push(Default::default());
                self.edges[edge].child = Some(node);
            }
        }
    }

    fn edge(&mut self, node: usize, key: &str) -> usize {
        if let Some(edge) = self.find(node, key) {
            return edge;
        }
        self.edges.push(Edge::default());
        self.nodes[node][bucket(key)].push((key.into(), self.edges.len() - 1));
        self.edges.len() - 1
    }

    /// The edge for a key at a node, if it matters.
    pub fn find(&self, node: usize, key: &str) -> Option<usize> {
        self.nodes[node][bucket(key)].iter().find(|(known, _)| **known == *key).map(|(_, edge)| *edge)
    }

    pub fn get(&self, edge: usize) -> &Edge {
        &self.edges[edge]
    }

    pub fn edges(&self) -> usize {
        self.edges.len()
    }
}
