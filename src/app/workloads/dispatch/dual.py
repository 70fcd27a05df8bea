"""The canonical dual: of all optimal prices of the linear bound, those of the smallest Euclidean norm.

The optimal set is convex and closed, so there is exactly one such point; it depends neither on the order of the
rows nor on the solver. By complementary slackness with any one optimal primal x, y is optimal exactly if it is
feasible, tight on every pair that x uses, and 0 on every job that x leaves unsaturated. So the norm is minimised
under linear conditions by an interior-point method, which ends at about 1e-12; then the conditions found tight are
solved once more, to the last digits, because the simulation breaks ties between tight pairs.
"""

from __future__ import annotations

import clarabel  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

# All where the largest reward is 1.
_USED = 1e-7  # a vertex of the matching polytope is half-integral: what is above is 1/2 or 1
_TOLERANCE = 1e-12
_NEAR = 1e-5  # the interior point is at least this close to the exact answer


def smallest_dual(
    incidence: sparse.csr_array, reward: NDArray[np.float64], primal: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The optimal y of the smallest norm.

    Args:
        incidence: rows are pairs, columns are jobs; shape (m, n).
        reward: rewards of the pairs, the largest 1; shape (m,).
        primal: an optimal x: how much each pair is used; shape (m,).

    Returns:
        y; shape (n,).

    Raises:
        RuntimeError: the interior-point method failed.
    """
    used, unsaturated = primal > _USED, incidence.T @ primal < 1 - _USED
    rough, active = _project(incidence, reward, used, unsaturated)
    tight, zero = active[: len(reward)], active[len(reward) :]
    fine = _solve_tight(incidence.indices.reshape(-1, 2)[tight], reward[tight], zero)
    # A condition taken for tight by mistake shows here: then the interior point's own answer is the better one.
    shortfall = max(float((reward - incidence @ fine).max()), float(-fine.min()))
    return fine if shortfall < _TOLERANCE and np.abs(fine - rough).max() < _NEAR else rough


def _project(
    incidence: sparse.csr_array,
    reward: NDArray[np.float64],
    used: NDArray[np.bool_],
    unsaturated: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """argmin |y|^2 with y_i + y_j >= r_ij and y >= 0, with equality on used pairs and unsaturated jobs.

    Returns:
        y of shape (n,), and which conditions hold it there, pairs first and then jobs; shape (m + n,).
    """
    count = len(unsaturated)
    rows = sparse.vstack([incidence, sparse.eye_array(count)], format="csr")
    bound = np.concatenate([reward, np.zeros(count)])
    fixed = np.concatenate([used, unsaturated])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.direct_solve_method = "qdldl"  # in one thread: jobs share the machine
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = _TOLERANCE
    constraints = sparse.csc_matrix(sparse.vstack([rows[fixed], -rows[~fixed]]))
    limits = np.concatenate([bound[fixed], -bound[~fixed]])
    cones = [clarabel.ZeroConeT(int(fixed.sum())), clarabel.NonnegativeConeT(int((~fixed).sum()))]
    identity = sparse.csc_matrix(sparse.eye_array(count))
    solution = clarabel.DefaultSolver(identity, np.zeros(count), constraints, limits, cones, settings).solve()
    if str(solution.status) not in ("Solved", "AlmostSolved"):
        raise RuntimeError(f"the canonical dual was not found: {solution.status}")
    # At the optimum slack times multiplier is 0: the smaller of the two is the one that vanishes.
    active = fixed.copy()
    active[~fixed] = (np.asarray(solution.s) < np.asarray(solution.z))[int(fixed.sum()) :]
    return np.asarray(solution.x), active


def _solve_tight(ends: NDArray[np.int32], reward: NDArray[np.float64], zero: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The smallest y with y_i + y_j = r_ij on the given pairs and y_i = 0 on the given jobs.

    Along a connected part, y_i = constant_i + sign_i * theta with one theta, which a job at 0 or an odd cycle
    fixes; otherwise it is free, and the smallest norm fixes it.
    """
    neighbours: list[list[tuple[int, float]]] = [[] for _ in zero]
    for (i, j), value in zip(ends.tolist(), reward.tolist(), strict=True):
        neighbours[i].append((j, value))
        neighbours[j].append((i, value))
    dual = np.zeros(len(zero))
    sign = np.zeros(len(zero))
    for root in np.argsort(~zero, kind="stable").tolist():  # parts with a job at 0 start there
        if sign[root] == 0:
            part, theta = _walk(root, neighbours, dual, sign)
            if zero[root]:
                theta = 0.0
            elif theta is None:
                theta = -float((sign[part] * dual[part]).mean())
            dual[part] += sign[part] * theta
    return dual


def _walk(
    root: int,
    neighbours: list[list[tuple[int, float]]],
    constant: NDArray[np.float64],
    sign: NDArray[np.float64],
) -> tuple[list[int], float | None]:
    """Sets constant and sign over the part of ``root``; returns its jobs, and theta if an odd cycle fixes it."""
    part, theta = [root], None
    sign[root] = 1.0
    for i in part:  # grows while it is walked: breadth first
        for j, value in neighbours[i]:
            if sign[j] == 0:
                sign[j], constant[j] = -sign[i], value - constant[i]
                part.append(j)
            elif theta is None and sign[j] == sign[i]:
                theta = float(sign[i] * (value - constant[i] - constant[j]) / 2)
    return part, theta
