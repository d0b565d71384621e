"""Transitive closures by strongly connected components: all of a cycle reach the same, and between components there is an order."""

from dataclasses import dataclass

import numpy as np
import torch

from tensorlogic.runtime.relations.bits import Bits, matrix, packed, segments, starts
from tensorlogic.runtime.relations.machine import dtype_of, rate
from tensorlogic.runtime.relations.products import squared
from tensorlogic.runtime.relations.strata import components

FEW = 2000  # edges from which on a large component is looked for by whole frontiers
DEEPEST = 64  # frontiers
SQUARINGS = 4  # that a closure is taken to need
OR = 2e-9  # seconds for a word of a row


@dataclass(frozen=True, slots=True)
class Reach:
    """`label` is the component of each node, `reach` which components each reaches by at least one edge."""

    label: np.ndarray
    reach: Bits


def closed(left: np.ndarray, right: np.ndarray, nodes: int, device: torch.device) -> Reach:
    """What the edges reach, nodes numbered from 0. A component has a higher number than what it reaches."""
    coarse, left, right = _contracted(*_different(left, right, nodes), nodes)
    fine, count = _tarjan(left, right, int(coarse.max(initial=-1)) + 1)
    left, right = _different(fine[left], fine[right], count)
    reach = Bits.of(left, right, count, count)
    if SQUARINGS * 2 * count**3 / rate(device) < OR * len(left) * reach.words.shape[1]:
        reach = packed(squared(matrix(reach, dtype_of(device)).to(device)) > 0)
    else:
        _sweep(reach, left, right)
    return Reach(fine[coarse], reach)


def _different(left: np.ndarray, right: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The edges sorted, each once."""
    keys = left * count + right
    if (keys[1:] <= keys[:-1]).any():
        keys = np.sort(keys)
    return np.divmod(keys[starts(keys)], max(count, 1))


def _sweep(reach: Bits, left: np.ndarray, right: np.ndarray) -> None:
    """Every component reaches what its successors do, which have lower numbers and are done."""
    words = reach.words
    below = left != right
    left, right = left.compress(below), right.compress(below)
    for row, low, high in segments(left, starts(left)):
        words[row] |= np.bitwise_or.reduce(words.take(right[low:high], axis=0), axis=0) if high - low > 1 else words[right[low]]


# --- components ---------------------------------------------------------------------------------------------------------


def _contracted(left: np.ndarray, right: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The graph with large components as one node each, as far as whole frontiers find them quickly; the node of each old one."""
    label, count = np.arange(nodes), nodes
    while len(left) > FEW:
        inside = _around(left, right, count)
        size = int(inside.sum())
        if size < 2:
            break
        number = np.cumsum(~inside)  # the component itself is 0
        number[inside] = 0
        label, before, count = number[label], len(left), count - size + 1
        left, right = _different(number[left], number[right], count)
        if len(left) > before // 2:
            break
    return label, left, right


def _around(left: np.ndarray, right: np.ndarray, count: int) -> np.ndarray:
    """The component of the node with the most edges, as marks; none where a path is too long."""
    out, into = np.bincount(left, minlength=count), np.bincount(right, minlength=count)
    pivot = int(np.argmax(np.minimum(out, into)))
    forward = _reached(pivot, right, np.cumsum(out) - out, out)
    backward = _reached(pivot, _different(right, left, count)[1], np.cumsum(into) - into, into)
    return forward & backward


def _reached(pivot: int, targets: np.ndarray, start: np.ndarray, count: np.ndarray) -> np.ndarray:
    seen = np.zeros(len(start), bool)
    frontier = np.array([pivot])
    for _ in range(DEEPEST):
        seen[frontier] = True
        counts = count[frontier]
        before = np.repeat(start[frontier] - (np.cumsum(counts) - counts), counts)
        found = targets[np.arange(len(before)) + before]
        new = np.zeros_like(seen)
        new[found] = True
        frontier = np.flatnonzero(new & ~seen)
        if not len(frontier):
            return seen
    return np.zeros_like(seen)


def _tarjan(left: np.ndarray, right: np.ndarray, nodes: int) -> tuple[np.ndarray, int]:
    """The component of each node, numbered so that edges lead to lower numbers, and how many there are."""
    targets, counts = right.tolist(), np.bincount(left, minlength=nodes)
    stop = np.cumsum(counts).tolist()
    needs = {node: targets[end - count : end] for node, (end, count) in enumerate(zip(stop, counts.tolist(), strict=True)) if count}
    found = components(range(nodes), needs)
    label = np.empty(nodes, np.int64)
    for number, component in enumerate(found):
        label[list(component)] = number
    return label, len(found)
