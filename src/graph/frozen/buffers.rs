//! Which values share memory: a buffer is free again once its value's last reader has run.

use super::{Frozen, ValueId};

/// The buffers of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// The buffer of each value.
    pub of: Vec<usize>,
    /// The size of each buffer, in the unit of the sizes given.
    pub sizes: Vec<usize>,
}

impl Buffers {
    /// Plans the buffers of a network whose values have these sizes. What a step reads and what it makes never share one.
    pub fn plan(frozen: &Frozen, size: impl Fn(ValueId) -> usize) -> Self {
        let steps: Vec<_> = frozen.steps.iter().map(|step| (&step.inputs[..], step.output)).collect();
        let sizes: Vec<usize> = (0..frozen.values.len()).map(size).collect();
        Self::of_steps(&steps, &sizes, &frozen.outputs)
    }

    /// The same for steps given as what they read and what they make.
    pub(super) fn of_steps(steps: &[(&[ValueId], ValueId)], sizes: &[usize], outputs: &[ValueId]) -> Self {
        let mut last = vec![0; sizes.len()];
        for (place, (inputs, _)) in steps.iter().enumerate() {
            inputs.iter().for_each(|&input| last[input] = place);
        }
        outputs.iter().for_each(|&output| last[output] = steps.len());
        let mut buffers = Self { of: vec![usize::MAX; sizes.len()], sizes: Vec::new() };
        let mut free: Vec<usize> = Vec::new();
        // The image's buffer is the first and stays its own: it is written from outside.
        buffers.of[0] = 0;
        buffers.sizes.push(sizes[0]);
        for (place, &(inputs, output)) in steps.iter().enumerate() {
            let needed = sizes[output];
            // The smallest that is large enough, else the largest, which grows.
            let best = (0..free.len()).min_by_key(|&i| {
                let has = buffers.sizes[free[i]];
                if has >= needed { (false, has) } else { (true, usize::MAX - has) }
            });
            let buffer = match best {
                Some(best) => free.swap_remove(best),
                None => {
                    buffers.sizes.push(0);
                    buffers.sizes.len() - 1
                }
            };
            buffers.sizes[buffer] = buffers.sizes[buffer].max(needed);
            buffers.of[output] = buffer;
            let mut read: Vec<ValueId> = inputs.iter().copied().filter(|&v| v != 0 && last[v] == place).collect();
            read.sort_unstable();
            read.dedup();
            free.extend(read.into_iter().map(|value| buffers.of[value]));
        }
        buffers
    }
}
