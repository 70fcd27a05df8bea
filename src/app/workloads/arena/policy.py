"""The policy: a table of preferences that all agents share, how they act by it, and its file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import numpy.typing as npt

from app.workloads.files import write_npz
from runyard import UsageError

from .layout import ACTIONS, Layout
from .world import Ints, observation_count

POLICY_FILE = "policy.npz"


def choose_actions(logits: npt.NDArray[np.floating], seen: Ints, rng: np.random.Generator) -> Ints:
    """Draws an action for each agent from the softmax of its row of preferences.

    The largest of preferences plus Gumbel noise is such a draw, and costs no normalisation.

    Args:
        logits: Preferences, shape (observations, actions).
        seen: Observations, shape (envs, agents).
        rng: Moves on by one draw per agent and action.

    Returns:
        Actions, shape (envs, agents).
    """
    preferences = logits[seen]
    actions: Ints = (preferences + rng.gumbel(size=preferences.shape)).argmax(axis=-1)
    return actions


def random_policy(layout: Layout) -> npt.NDArray[np.float64]:
    """Preferences of a policy that has learned nothing: all actions alike, shape (observations, actions)."""
    return np.zeros((observation_count(layout), len(ACTIONS)))


def save_policy(path: Path, logits: npt.NDArray[np.float64]) -> None:
    """Writes the file at once and whole, in single precision."""
    write_npz(path, {"logits": logits.astype(np.float32)})


def load_policy(policy_uri: Path | str, layout: Layout) -> npt.NDArray[np.float64]:
    """The preferences in a policy's file, shape (observations, actions).

    Args:
        policy_uri: A path or a `file://` address.
        layout: The map it is to be used on.

    Raises:
        UsageError: There is no such file, or the policy was trained on a map of another size.
    """
    path = _local_path(policy_uri)
    if not path.is_file():
        raise UsageError("the policy is missing", where=str(path), todo="train it first")
    with np.load(path) as file:
        logits: npt.NDArray[np.float64] = file["logits"].astype(np.float64)
    expected = random_policy(layout).shape
    if logits.shape != expected:
        raise UsageError(
            f"the policy is for {logits.shape[0]} observations, this map has {expected[0]}",
            where=str(path),
            todo="evaluate with the grid_size of the training",
        )
    return logits


def _local_path(uri: Path | str) -> Path:
    text = str(uri)
    if "://" not in text:
        return Path(text)
    parts = urlsplit(text)
    if parts.scheme != "file":
        raise UsageError(
            f"a policy cannot be read by {parts.scheme}", where=text, todo="use a path or a file:// address"
        )
    return Path(unquote(parts.path))
