#!/usr/bin/env python3
"""How long ranking takes and how much memory, beside a plain numpy form of the published algorithms, on a made set of
Market-1501's size.

    tests/bench-ranking.py BENCH [--queries 3368] [--gallery 15913] [--dim 512] [--persons 751] [--skip-numpy-rerank]

BENCH is the example bench-ranking, built with --release (cargo build --release --example bench-ranking). The features are
made here: persons with a direction each, cameras that add their own, noise. Both rank them without and with k-reciprocal
re-ranking (k1 20, k2 6, lambda 0.3); scores must agree. Grouping of 10,000 photos follows, without a peer. numpy's re-ranking
holds several matrices of all pairs: at the full size 10 GB.

Needs numpy.
"""

import argparse
import json
import resource
import subprocess
import tempfile
import time

import numpy as np


def made(count, dim, persons):
    random = np.random.default_rng(1)
    person = random.integers(1, persons + 1, count)
    camera = random.integers(0, 6, count)
    features = random.normal(size=(persons + 1, dim))[person] + 0.5 * random.normal(size=(6, dim))[camera]
    features += random.gamma(2.0, 0.9, (count, 1)) * random.normal(size=(count, dim))
    return features.astype(np.float32), person.astype(np.int32), camera.astype(np.int32)


def rerank(distances, queries, k1=20, k2=6, lambda_=0.3):
    """Zhong et al., CVPR 2017, as their Python has it: distances between all, normalised by each row's largest."""
    distances = distances / distances.max(axis=1, keepdims=True)
    count = len(distances)
    ranks = np.argsort(distances, axis=1, kind="stable")[:, : k1 + 1].copy()

    def reciprocal(i, k):
        forward = ranks[i, : k + 1]
        return forward[(ranks[forward, : k + 1] == i).any(axis=1)]

    half = int(np.around(k1 / 2))
    weights = np.zeros_like(distances)
    for i in range(count):
        own = reciprocal(i, k1)
        wide = own
        for candidate in own:
            theirs = reciprocal(candidate, half)
            if len(np.intersect1d(theirs, own)) > 2 / 3 * len(theirs):
                wide = np.append(wide, theirs)
        wide = np.unique(wide)
        weight = np.exp(-distances[i, wide])
        weights[i, wide] = weight / weight.sum()
    if k2 > 1:
        weights = np.stack([weights[ranks[i, :k2]].mean(axis=0) for i in range(count)])
    holders = [np.flatnonzero(weights[:, i]) for i in range(count)]
    result = np.zeros((queries, count), np.float32)
    for i in range(queries):
        overlap = np.zeros(count, np.float32)
        for j in np.flatnonzero(weights[i]):
            overlap[holders[j]] += np.minimum(weights[i, j], weights[holders[j], j])
        result[i] = (1 - overlap / (2 - overlap)) * (1 - lambda_) + distances[i] * lambda_
    return result[:, queries:]


def scores(distances, person, camera, queries):
    firsts, precisions = [], []
    of, by = person[queries:], camera[queries:]
    for i in range(queries):
        kept = ~((of == person[i]) & (by == camera[i]))
        right = np.flatnonzero((of[kept] == person[i])[np.argsort(distances[i, kept], kind="stable")]) + 1
        if len(right):
            firsts.append(right[0] == 1)
            precisions.append(np.mean(np.arange(1, len(right) + 1) / right))
    return np.mean(firsts), np.mean(precisions)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench")
    parser.add_argument("--queries", default=3368, type=int)
    parser.add_argument("--gallery", default=15913, type=int)
    parser.add_argument("--dim", default=512, type=int)
    parser.add_argument("--persons", default=751, type=int)
    parser.add_argument("--skip-numpy-rerank", action="store_true")
    args = parser.parse_args()
    count = args.queries + args.gallery
    features, person, camera = made(count, args.dim, args.persons)
    print(f"{args.queries} queries, {args.gallery} photos in the gallery, {args.dim} values", flush=True)
    with tempfile.NamedTemporaryFile() as file:
        for array in (features, person, camera):
            file.write(array.tobytes())
        file.flush()
        sizes = [str(size) for size in (args.queries, args.gallery, args.dim)]
        for what in ([], ["--rerank"]):
            run = subprocess.run([args.bench, "rank", file.name, *sizes, *what], check=True, stdout=subprocess.PIPE)
            ours = json.loads(run.stdout)
            name = "re-ranked" if what else "plain"
            print(f"{name}: webreid {ours['seconds']:.1f} s, {ours['peak_mb']} MB, rank-1 {100 * ours['rank1']:.2f}, "
                  f"mAP {100 * ours['map']:.2f}", flush=True)
            if what and args.skip_numpy_rerank:
                continue
            start = time.perf_counter()
            rows = features / np.linalg.norm(features, axis=1, keepdims=True)
            if what:
                distances = rerank(np.maximum(2 - 2 * rows @ rows.T, 0), args.queries)
            else:
                distances = np.maximum(2 - 2 * rows[: args.queries] @ rows[args.queries :].T, 0)
            rank1, mean = scores(distances, person, camera, args.queries)
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"{name}: numpy   {seconds:.1f} s, {peak} MB, rank-1 {100 * rank1:.2f}, mAP {100 * mean:.2f}; "
                  f"{seconds / ours['seconds']:.1f} times as long", flush=True)
            assert abs(rank1 - ours["rank1"]) < 2e-3 and abs(mean - ours["map"]) < 2e-3, "the scores agree"
    run = subprocess.run([args.bench, "group", "10000", str(args.dim)], check=True, stdout=subprocess.PIPE)
    ours = json.loads(run.stdout)
    print(f"grouping 10000 photos: {ours['seconds']:.1f} s, {ours['peak_mb']} MB, {ours['groups']} groups of {ours['people']} people")


main()
