#!/usr/bin/env python3
"""Brings back what weight decay has put out in a ResNet-18 that `reid train` wrote.

    models/revive-channels.py MODEL.safetensors OUT.safetensors

With Adam, L2 weight decay of 5e-4 pulls at the scales of batch norm as well, and what gets small gradients shrinks until it
is nothing: after seven parts of training bn1 of layer 4's second block had 109 of 112 scales below 0.01 (and 22 and 10 were
in the blocks before), so that two fifths of all weights did nothing. Such channels are drawn anew, as large as their
neighbours, and the layer after them starts without them. A block that is nearly gone is drawn anew altogether and counts
little at first. Training has to follow, without weight decay. Needs numpy and safetensors.
"""

import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

OUT_BELOW = 0.01
# So few channels left: the whole block.
FEW = 8
FIRST_SCALE = 0.05


def revive(tensors, block, rng):
    """Draws the inner channels of a block anew that are out; says how many."""
    scale, shift = tensors[block + "bn1.weight"], tensors[block + "bn1.bias"]
    first, second = tensors[block + "conv1.weight"], tensors[block + "conv2.weight"]
    out = np.abs(scale) < OUT_BELOW
    left = ~out
    count = out.sum()
    if count == 0:
        return 0
    few = left.sum() <= FEW
    spread = (2 / (first.shape[0] * 9)) ** 0.5 if few else first[left].std()
    first[out] = rng.normal(0, spread, first[out].shape)
    if few:
        first[:] = rng.normal(0, spread, first.shape)
        second[:] = rng.normal(0, spread, second.shape)
        tensors[block + "bn2.weight"][:] = FIRST_SCALE
        out[:] = True
        scale[:], shift[:] = 1, 0
    else:
        scale[out], shift[out] = np.abs(scale[left]).mean(), shift[left].mean()
        second[:, out] = 0
    tensors[block + "bn1.running_mean"][out] = 0
    tensors[block + "bn1.running_var"][out] = 1
    return count


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with safe_open(sys.argv[1], "np") as file:
        metadata = file.metadata()
        stored = {name: file.get_tensor(name) for name in file.keys()}
    tensors = {name: values.astype(np.float32) for name, values in stored.items()}
    rng = np.random.default_rng(0)
    for block in [f"backbone.layer{layer}.{index}." for layer in range(1, 5) for index in range(2)]:
        if block + "bn1.weight" in tensors and (count := revive(tensors, block, rng)):
            print(f"{block[:-1]}: {count} channels drawn anew")
    save_file({name: values.astype(stored[name].dtype) for name, values in tensors.items()}, sys.argv[2], metadata=metadata)


if __name__ == "__main__":
    main()
