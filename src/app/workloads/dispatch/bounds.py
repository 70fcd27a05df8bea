"""What hindsight could have saved: the linear bound with its dual prices, and the integral optimum.

LP = min sum(y) subject to y_i + y_j >= r_ij on the offline graph and y >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from app.workloads.dispatch.dual import smallest_dual
from app.workloads.dispatch.matching import distance_rank, max_weight_matching
from app.workloads.dispatch.pairs import Pairs

_CERTIFIED = 1e-9  # accepted error of the result, as a part of the largest reward
_OPT_REFINEMENT = 1024  # OPT resolves weights this much finer than the simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """The linear bound and its canonical dual.

    Attributes:
        lp: the bound, in the unit of the coordinates.
        dual: y, the optimal prices of the smallest norm; shape (n,).
        edges: pairs in the offline graph.
    """

    lp: float
    dual: NDArray[np.float64]
    edges: int


def hindsight(pairs: Pairs) -> Hindsight:
    """The linear bound over the feasible pairs and its canonical dual.

    Raises:
        RuntimeError: a solver failed, or its answer does not pass the check of optimality.
    """
    graph = pairs.rewarding()
    if not len(graph):
        return Hindsight(lp=0.0, dual=np.zeros(pairs.jobs), edges=0)
    scale = float(graph.reward.max())
    reward = graph.reward / scale
    incidence = _incidence(graph)
    primal = linprog(  # type: ignore[call-overload]  # the stubs do not know that A_ub may be sparse
        -reward, A_ub=incidence.T.tocsr(), b_ub=np.ones(pairs.jobs), method="highs-ds"
    )
    if primal.status != 0:
        raise RuntimeError(f"the linear bound was not solved: {primal.message}")
    lp = -float(primal.fun)
    dual = smallest_dual(incidence, reward, np.asarray(primal.x))
    _certify(incidence, reward, dual, lp)
    return Hindsight(lp=lp * scale, dual=dual * scale, edges=len(graph))


def offline_optimum(pairs: Pairs) -> float:
    """OPT: the most that disjoint feasible pairs can save, in the unit of the coordinates."""
    graph = pairs.rewarding()
    weight = np.rint(graph.reward / pairs.grid * _OPT_REFINEMENT)
    rank = distance_rank(graph.distance, graph.first, graph.second)
    chosen = max_weight_matching(graph.first, graph.second, weight, rank)
    return float(graph.reward[chosen].sum())


def _incidence(graph: Pairs) -> sparse.csr_array:
    """Rows are pairs, columns are jobs; shape (m, n)."""
    rows = np.repeat(np.arange(len(graph)), 2)
    columns = np.stack([graph.first, graph.second], axis=1).ravel()
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(graph), graph.jobs))


def _certify(incidence: sparse.csr_array, reward: NDArray[np.float64], dual: NDArray[np.float64], lp: float) -> None:
    """Feasible, and of the same value as the primal: then it is optimal, whatever the solvers said."""
    shortfall = max(0.0, float((reward - incidence @ dual).max()), float(-dual.min()))
    gap = abs(float(dual.sum()) - lp)
    if shortfall > _CERTIFIED or gap > _CERTIFIED * max(1.0, lp):
        raise RuntimeError(f"the canonical dual is not optimal: shortfall {shortfall:.2e}, gap {gap:.2e}")
