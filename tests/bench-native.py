#!/usr/bin/env python3
"""How fast the command runs a model, beside onnxruntime on the same machine.

    tests/bench-native.py REID MODEL.onnx [--batch 1,8,32] [--threads 2] [--rounds 3]

REID is the command, built with --release. It and onnxruntime run the same ONNX file on the CPU by turns, so that whatever else
the machine does meets both; what is printed are medians over the rounds, and a ratio above 1 says that the command is faster.
Both are timed from the network's input to the feature, on as many processors as there are to be threads (Linux only).

Needs onnxruntime and numpy, in a venv of their own: pip install onnxruntime
"""

import argparse
import json
import os
import statistics
import subprocess
import time

import numpy
import onnxruntime

# As `reid bench` does it: at least that often, and that long.
FEWEST_CALLS = 3
SECONDS = 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reid")
    parser.add_argument("model")
    parser.add_argument("--batch", default="1,8,32", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--threads", default=2, type=int)
    parser.add_argument("--rounds", default=3, type=int)
    args = parser.parse_args()
    pin(args.threads)
    session = open_session(args.model, args.threads)
    print(f"{args.model} on the CPU, {args.threads} threads, onnxruntime {onnxruntime.__version__}")
    print("batch  reid images/s  onnxruntime images/s  ratio")
    for batch in args.batch:
        ours, theirs = [], []
        for turn in range(args.rounds):
            contenders = [(ours, lambda: measure_reid(args.reid, args.model, batch)), (theirs, lambda: measure_onnxruntime(session, batch))]
            for speeds, measure in contenders if turn % 2 == 0 else reversed(contenders):
                speeds.append(measure())
        reid, onnx = statistics.median(ours), statistics.median(theirs)
        print(f"{batch:5}{reid:15.1f}{onnx:22.1f}{reid / onnx:7.2f}", flush=True)


def pin(threads):
    """The command takes as many threads as it may use processors."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise SystemExit(f"There are only {len(allowed)} processors for {threads} threads.")
    os.sched_setaffinity(0, allowed[:threads])


def open_session(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def measure_reid(reid, model, batch):
    command = [reid, "bench", "--weights", model, "--device", "cpu", "--batch", str(batch), "--json"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return report["batches"][0]["images_per_second"]


def measure_onnxruntime(session, batch):
    image = session.get_inputs()[0]
    fixed, *shape = image.shape
    if isinstance(fixed, int) and fixed != batch:
        raise SystemExit(f"The model takes {fixed} images at once: give --batch {fixed}.")
    values = numpy.random.default_rng(1).standard_normal([batch, *shape], dtype=numpy.float32)
    session.run(None, {image.name: values})
    start, calls = time.perf_counter(), []
    while len(calls) < FEWEST_CALLS or time.perf_counter() - start < SECONDS:
        call = time.perf_counter()
        session.run(None, {image.name: values})
        calls.append(time.perf_counter() - call)
    return batch / statistics.median(calls)


if __name__ == "__main__":
    main()
