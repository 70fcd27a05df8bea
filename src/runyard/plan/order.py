"""A shuffled order of any length that needs no memory: a permutation of the numbers below n, by their bits. Pure."""

from __future__ import annotations

from hashlib import blake2b

_ROUNDS = 4


class Permutation:
    """The numbers from 0 to ``size`` - 1 in an order that depends on ``seed`` alone.

    A Feistel network over the smallest even number of bits that holds them all; what falls outside is sent through
    again (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._half = max(1, ((max(size, 2) - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1
        self._keys = [f"{seed}:{turn}:".encode() for turn in range(_ROUNDS)]

    def __getitem__(self, index: int) -> int:
        """The number at a place."""
        at = index
        while True:
            at = self._once(at)
            if at < self._size:
                return at

    def _once(self, at: int) -> int:
        left, right = at >> self._half, at & self._mask
        for key in self._keys:
            mixed = blake2b(key + right.to_bytes(8, "big"), digest_size=8).digest()
            left, right = right, left ^ (int.from_bytes(mixed, "big") & self._mask)
        return (left << self._half) | right
