//! Attention over the places of an image.

use super::super::array;
use super::super::layout::{Atom, Axis, Layout, OPEN, size};
use super::super::rules::SHAPES;
use super::super::{Node, Refusal, unsupported};
use super::arrange::{Form, relaid};
use super::{Emit, Flow};
use crate::graph::op::{Attention, AttentionBias};
use crate::step::Weighting;

impl Emit {
    /// Of q, k and v as `[…, heads, tokens, channels]`: what stands before the heads are windows.
    pub(super) fn attention(&mut self, node: &Node) -> Result<Flow, Refusal> {
        let [q, mut k, v] = [self.flow_at(node, 0)?, self.flow_at(node, 1)?, self.flow_at(node, 2)?];
        let rank = q.rank();
        if rank < 3 || k.rank() != rank || v.rank() != rank {
            return unsupported(format!("of {}, {} and {}", q.shown(), k.shown(), v.shown()));
        }
        if node.integer("transposed", 0) != 0 {
            let order: Vec<usize> = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
            k.layout = k.layout.transpose(&order);
        }
        let tokens = rank - 2;
        // What stands before the tokens and goes along the channels are the heads, what goes along the places the windows.
        let before: Vec<Atom> = (0..rank - 2).flat_map(|dim| q.layout.dims[dim].clone()).collect();
        let of = |axis: Axis| size(&before.iter().filter(|atom| atom.axis == axis).copied().collect::<Vec<_>>());
        let (heads, windows) = (of(Axis::Channel) as usize, of(Axis::Place) as usize);
        let length = q.layout.sizes()[tokens] as usize;
        if k.layout.sizes()[tokens] as usize != length {
            return unsupported("of as many keys as there are no tokens");
        }
        // Heads and windows in one dimension are taken apart.
        let [q, k, v] = [q, k, v].map(|x| self.apart(x, rank));
        let (q, k, v) = (q?, k?, v?);
        let dims = q.channel_dims();
        if k.channel_dims() != dims || v.channel_dims() != dims {
            return unsupported(format!("of {}, {} and {}", q.shown(), k.shown(), v.shown()));
        }
        let width = *q.layout.sizes().last().unwrap_or(&1);
        let [q, k, v] = [q, k, v].map(|x| self.arrange(&x, &dims, Form::Tokens));
        let (q, k, v) = (q?, k?, v?);
        let scale = node.float("scale", 1.0 / (width as f64).sqrt()) as f32;
        let (bias, values) = match self.bias(node, &before, heads, windows, length)? {
            Some((tables, values)) => (Some(AttentionBias { name: String::new(), tables, length }), vec![values]),
            None => (None, vec![]),
        };
        let attention = Attention { heads, windows, scale, weighting: Weighting::Softmax, bias };
        let at = self.push(attention, &[q.at, k.at, v.at], values, None)?;
        let layout = v.layout.reshape(&self.sizes(node));
        match layout {
            Some(layout) => Ok(Flow { at, layout, alone: true }),
            None => unsupported(format!("of {}", v.shown())),
        }
    }

    /// Dimensions of windows and heads together as dimensions of their own: `[…, windows, heads, tokens, channels]`.
    fn apart(&mut self, x: Flow, rank: usize) -> Result<Flow, Refusal> {
        let mut dims = Vec::new();
        for atoms in &x.layout.dims[..rank - 2] {
            let mut own: Vec<Vec<Atom>> = Vec::new();
            for atom in atoms {
                let is_channel = atom.axis == Axis::Channel;
                match own.last_mut() {
                    Some(last) if last.iter().all(|before| (before.axis == Axis::Channel) == is_channel) => {
                        last.push(*atom)
                    }
                    _ => own.push(vec![*atom]),
                }
            }
            dims.extend(own);
        }
        dims.extend_from_slice(&x.layout.dims[rank - 2..]);
        Ok(Flow { layout: Layout { dims, ..x.layout }, ..x })
    }

    /// What is added to the scores: a table for each head, or for each head of each window.
    fn bias(
        &mut self,
        node: &Node,
        before: &[Atom],
        heads: usize,
        windows: usize,
        length: usize,
    ) -> Result<Option<(usize, Vec<f32>)>, Refusal> {
        let mut sum: Option<Vec<f32>> = None;
        let all = heads.saturating_mul(windows);
        // The scores, as they would lie: each head of each window a table.
        let scores = Layout { dims: vec![before.to_vec()], place: 0, channel: 0 };
        let scores = relaid(&scores.taken_apart(), &scores.channel_dims());
        let steps = scores.dims.concat().into_iter().map(|atom| match atom.axis {
            Axis::Place => Atom { step: atom.step * heads as i64, ..atom },
            _ => atom,
        });
        let mut steps: Vec<Atom> = steps.collect();
        let side = length as u64;
        steps.push(Atom { axis: Axis::Row, size: side, step: length as i64 });
        steps.push(Atom { axis: Axis::Column, size: side, step: 1 });
        let scores = Layout { dims: vec![steps], place: 0, channel: 0 };
        for port in 3..node.inputs.len() {
            if !node.has(port) {
                continue;
            }
            let c = self.floats_at(node, port)?;
            let dims: Vec<u64> = match node.integers(SHAPES.get(port - 3).copied().unwrap_or("")) {
                Some(dims) => dims
                    .iter()
                    .map(|&dim| if dim < 0 { dim.unsigned_abs().saturating_mul(OPEN) } else { dim as u64 })
                    .collect(),
                None => {
                    let mut dims = self.sizes(node);
                    dims.pop();
                    dims.push(side);
                    dims
                }
            };
            let seen = scores.reshape(&dims).filter(|_| c.shape.len() <= dims.len());
            let Some(seen) = seen else {
                return unsupported(format!("with a bias of shape {:?} on scores of {dims:?}", c.shape));
            };
            let table = sum.get_or_insert_default();
            let count = all.saturating_mul(length).saturating_mul(length);
            self.budget.spend(count)?;
            table.resize(count, 0.0);
            let missing = dims.len() - c.shape.len();
            let own = array::steps(&c.shape);
            let (mut to, mut from) = (Vec::new(), Vec::new());
            for (dim, atoms) in seen.dims.iter().enumerate() {
                let (size_of, step) = dim.checked_sub(missing).map_or((1, 0), |place| own[place]);
                let batch = size(&atoms.iter().filter(|atom| atom.axis == Axis::Batch).copied().collect::<Vec<_>>());
                let is_whole = size_of as u64 == dims[dim];
                if size_of != 1 && !is_whole && size_of as u64 * batch != dims[dim] {
                    return unsupported(format!("with a bias of shape {:?} on scores of {dims:?}", c.shape));
                }
                let mut inner = 1;
                let mut steps = Vec::new();
                for atom in atoms.iter().rev() {
                    let by = if size_of == 1 { 0 } else { step * inner as isize };
                    if atom.axis == Axis::Batch {
                        if is_whole && size_of != 1 {
                            inner *= atom.size;
                        }
                        continue;
                    }
                    inner *= atom.size;
                    let unit = match atom.axis {
                        Axis::Place | Axis::Channel => (length * length) as isize,
                        _ => 1,
                    };
                    steps.push(((atom.size as usize, atom.step as isize * unit), (atom.size as usize, by)));
                }
                steps.reverse();
                let (a, b): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
                to.extend(a);
                from.extend(b);
            }
            for (to, from) in array::places(&to, 0).into_iter().zip(array::places(&from, 0)) {
                table[to] += c.values[from];
            }
        }
        // Equal in all windows it is the heads' alone.
        let Some(table) = sum else { return Ok(None) };
        let each = heads * length * length;
        let is_each = table.chunks_exact(each.max(1)).any(|window| window != &table[..each]);
        Ok(Some(if is_each { (all, table) } else { (heads, table[..each].to_vec()) }))
    }
}

impl Layout {
    /// Each atom as a dimension of its own.
    fn taken_apart(&self) -> Self {
        let dims = self.dims.concat().into_iter().map(|atom| vec![atom]).collect();
        Self { dims, ..*self }
    }

    /// Those of the atoms, each a dimension, that go along the channels.
    fn channel_dims(&self) -> Vec<usize> {
        let atoms = self.dims.concat();
        (0..atoms.len()).filter(|&place| atoms[place].axis == Axis::Channel).collect()
    }
}
