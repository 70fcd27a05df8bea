"""Seeds: every module has its own, which follows from the run's."""

from __future__ import annotations

import numpy as np

#: modules that draw; the optimizer does not.
DRAWING = ("variants", "field_sampler", "sim")


def module_seed(seed: int, module: str) -> int:
    """The seed of a module, from that of the run."""
    return int(np.random.SeedSequence([seed, DRAWING.index(module)]).generate_state(1)[0])


def module_seeds(seed: int) -> dict[str, int]:
    """The seeds of all modules that draw."""
    return {module: module_seed(seed, module) for module in DRAWING}
