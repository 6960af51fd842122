//! The order of nodes that a file lists in any.

use std::collections::BTreeSet;

/// The wanted nodes, each after those that it reads and otherwise in the file's order; `None` where they read each other in a
/// circle. `inputs` are nodes, and which of their outputs; what a wanted node reads is wanted.
pub(in crate::weights) fn sorted(inputs: &[&[(usize, usize)]], is_wanted: &[bool]) -> Option<Vec<usize>> {
    let wanted = || (0..inputs.len()).filter(|&node| is_wanted[node]);
    let mut readers = vec![Vec::new(); inputs.len()];
    wanted().for_each(|node| inputs[node].iter().for_each(|&(input, _)| readers[input].push(node)));
    let mut waiting: Vec<usize> = inputs.iter().map(|inputs| inputs.len()).collect();
    let mut ready: BTreeSet<usize> = wanted().filter(|&node| waiting[node] == 0).collect();
    let mut order = Vec::new();
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for &reader in &readers[node] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    (order.len() == wanted().count()).then_some(order)
}
