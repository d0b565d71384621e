"""The order of an epoch: random numbers of its own, so that a training that goes on after a stop sees what it would have seen."""

from hashlib import blake2b

import torch


def generator(seed: int | None, epoch: int) -> torch.Generator:
    """Random numbers that depend on the seed and the epoch alone; without a seed, on the one that the program began with."""
    seed = torch.initial_seed() if seed is None else seed
    digest = blake2b(f"{seed}:{epoch}".encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)
