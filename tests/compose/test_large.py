"""Sweeps over a config tree of about 200 files."""

from __future__ import annotations

from itertools import islice, product

import pytest

from .against import Case, Tally, compare
from .large import EXPERIMENTS, MODELS, large_tree

_VALUES = (
    ("seed=7",),
    ("lr=0.3", "model.optimizer.weight_decay=1e-6"),
    ("data.batch_size=8", "trainer.max_epochs=3", "+note='a, b'"),
    ("model.net.width=${data.batch_size}", "tags=[a,b]"),
    ("paths.root=/elsewhere", "~test", "++trainer.limit={train:0.1}"),
)


def _sweep(*choices: tuple[str, ...]) -> Case:
    """Every choice with every set of values."""
    lines = tuple((*chosen, *values) for chosen, values in product(choices, ((), *_VALUES)))
    return Case(files=large_tree(), jobs=lines, config_name="train", resolved=("hydra.run.dir",))


SWEEPS = {
    "values": _sweep(()),
    "experiments": _sweep(*((f"experiment={name}",) for name in EXPERIMENTS[::25])),
    "groups": _sweep(
        (f"model={MODELS[3]}", "data=texts_l"),
        ("model/optimizer=sgd", "model/scheduler=cosine", "trainer=ddp_sim"),
        ("callbacks=all", "logger=many", "paths=cluster"),
        ("loss@model.loss=huber", "+loss@aux.loss=focal"),
    ),
    "experiments with other groups": _sweep(
        (f"experiment={EXPERIMENTS[40]}", "data=graphs_s", "debug=limit"),
        ("hparams=search_lr", f"experiment={EXPERIMENTS[2]}", "hydra.job.name=tuned"),
        ("~logger", "callbacks=none", "data/transforms=augment_heavy"),
    ),
}
#: what may ask Hydra: the first job of each choice, in which it is proved, and little else.
_FIRST = 2


@pytest.mark.parametrize("what", SWEEPS)
def test_each_job_of_a_large_tree_is_as_hydra_composes_it(what: str) -> None:
    case = SWEEPS[what]
    tally: Tally = compare(case)
    choices = len(case.jobs) // (1 + len(_VALUES))
    assert (tally.jobs, tally.errors) == (len(case.jobs), 0)
    assert tally.quick == tally.jobs - choices
    assert tally.pieced >= tally.jobs - choices


def test_the_tree_is_large_and_every_experiment_of_it_composes() -> None:
    tree = large_tree()
    assert 190 <= len(tree) <= 210
    lines = tuple((f"experiment={name}",) for name in islice(EXPERIMENTS, 0, None, 9))
    tally = compare(Case(files=tree, jobs=lines, config_name="train"))
    assert (tally.jobs, tally.errors) == (len(lines), 0)
