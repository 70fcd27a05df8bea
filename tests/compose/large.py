"""A config tree of about 200 files in the style of large training repositories. Knows no test framework.

Data, models, trainers, callbacks, loggers and paths are groups; models are put together from nets, optimizers,
schedulers and losses by nested defaults lists; experiments override groups and set values; everything refers to
everything by interpolations.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

DATA = tuple(f"{kind}_{size}" for kind in ("images", "texts", "tables", "graphs", "sounds", "series") for size in "sml")
NETS = tuple(f"{kind}_{depth}" for kind in ("mlp", "cnn", "vit", "gru", "gcn") for depth in (4, 8, 16))
MODELS = tuple(f"{kind}_{task}" for kind in ("mlp", "cnn", "vit", "gru", "gcn") for task in ("classify", "regress"))
OPTIMIZERS = ("adam", "adamw", "sgd", "lion", "rmsprop", "adagrad")
SCHEDULERS = ("constant", "linear", "cosine", "step", "plateau", "onecycle")
LOSSES = ("cross_entropy", "focal", "mse", "huber", "mae")
TRANSFORMS = ("none", "normalize", "augment_light", "augment_heavy", "tokenize", "spectrogram")
TRAINERS = ("default", "cpu", "gpu", "ddp", "ddp_sim", "fsdp", "mps", "profile")
CALLBACKS = ("checkpoint", "early_stopping", "summary", "progress", "lr_monitor", "ema", "timer", "swa")
LOGGERS = ("csv", "tensorboard", "wandb", "mlflow", "comet", "aim")
EXPERIMENTS = tuple(f"{model}_on_{data}" for model, data in product(MODELS, DATA[::2]))
SEARCHES = tuple(f"search_{name}" for name in ("lr", "width", "depth", "dropout", "batch", "all"))
DEBUGS = ("default", "fdr", "limit", "overfit", "profiler")

_CONFIG = """
defaults:
  - _self_
  - data: images_s
  - model: cnn_classify
  - callbacks: default
  - logger: null
  - trainer: default
  - paths: default
  - extras: default
  - experiment: null
  - hparams: null
  - optional local: default
  - debug: null
task_name: train
tags: [dev, "${data.name}"]
train: true
test: true
ckpt_path: null
seed: 1234
lr: 0.001
run_name: ${task_name}/${data.name}/${model.name}-${model.optimizer.name}-${seed}
hydra:
  run: {dir: "${paths.log_dir}/runs/${now:%Y-%m-%d_%H-%M-%S}"}
  sweep: {dir: "logs/${task_name}/multiruns/${now:%Y-%m-%d_%H-%M-%S}", subdir: "${hydra.job.num}"}
  job: {env_set: {OMP_NUM_THREADS: "1"}, config: {override_dirname: {exclude_keys: [seed, paths.root]}}}
"""


def large_tree() -> dict[str, str]:
    """The files, by their names without ``.yaml``."""
    return dict(_files())


def write_large_tree(folder: Path) -> None:
    """Writes the files below a folder; the primary config is ``train``."""
    for name, text in _files():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _files() -> Iterator[tuple[str, str]]:
    yield "train", _CONFIG.lstrip()
    yield from _data()
    yield from _models()
    yield from _training()
    yield from _experiments()


def _data() -> Iterator[tuple[str, str]]:
    for index, name in enumerate(DATA):
        transform = TRANSFORMS[index % len(TRANSFORMS)]
        yield (
            f"data/{name}",
            f"""\
defaults: [transforms: {transform}, _self_]
_target_: project.data.{name.title()}
name: {name}
data_dir: ${{paths.data_dir}}/${{.name}}
batch_size: {2 ** (3 + index % 5)}
num_workers: ${{oc.decode:${{oc.env:COMPOSE_TEST_WORKERS,2}}}}
split: {{train: 0.8, val: 0.1, test: 0.1}}
shape: [{index % 3 + 1}, 32, 32]
classes: {10 * (index + 1)}
seed: ${{seed}}
""",
        )
    for index, name in enumerate(TRANSFORMS):
        yield (
            f"data/transforms/{name}",
            f"""\
train: [{{_target_: project.{name}, p: {index / 10}}}, {{_target_: project.ToTensor}}]
val: [{{_target_: project.ToTensor}}]
size: ${{..shape}}
""",
        )


def _models() -> Iterator[tuple[str, str]]:
    for index, name in enumerate(MODELS):
        kind, _, task = name.partition("_")
        loss = "cross_entropy" if task == "classify" else "mse"
        yield (
            f"model/{name}",
            f"""\
defaults:
  - net: {kind}_4
  - optimizer: {OPTIMIZERS[index % len(OPTIMIZERS)]}
  - scheduler: {SCHEDULERS[index % len(SCHEDULERS)]}
  - /loss@loss: {loss}
  - _self_
_target_: project.models.{kind.title()}
name: {name}
compile: false
input: ${{data.shape}}
outputs: ${{data.classes}}
description: >
  A {kind} that was made to {task}, with a description that takes more than one line of the file, and more than
  one of the dumped one as well.
""",
        )
    for index, name in enumerate(NETS):
        kind, _, depth = name.partition("_")
        yield (
            f"model/net/{name}",
            f"""\
_target_: project.nets.{kind.title()}
depth: {depth}
width: {32 * (index + 1)}
hidden: ["${{..width}}", "${{..width}}"]
dropout: 0.{index % 5}
activation: {{name: relu, inplace: yes}}
out: ${{..outputs}}
""",
        )
    for index, name in enumerate(OPTIMIZERS):
        yield (
            f"model/optimizer/{name}",
            f"""\
_target_: torch.optim.{name.title()}
_partial_: true
name: {name}
lr: ${{lr}}
weight_decay: 1e-{index + 2}
{"betas: [0.9, 0.999]" if "ada" in name else "momentum: 0.9"}
""",
        )
    for index, name in enumerate(SCHEDULERS):
        yield (
            f"model/scheduler/{name}",
            f"""\
_target_: torch.optim.lr_scheduler.{name.title()}
_partial_: true
total: ${{trainer.max_epochs}}
warmup: {index}
min_lr: ${{oc.select:model.optimizer.min_lr,0.0}}
""",
        )
    for index, name in enumerate(LOSSES):
        yield f"loss/{name}", f"{{_target_: project.losses.{name}, weight: {index / 2}, reduction: mean}}\n"


def _training() -> Iterator[tuple[str, str]]:
    for index, name in enumerate(TRAINERS):
        defaults = "" if name == "default" else "defaults: [default, _self_]\n"
        if name.startswith("ddp_"):
            defaults = "defaults: [ddp, _self_]\n"
        yield (
            f"trainer/{name}",
            f"""\
{defaults}_target_: lightning.Trainer
default_root_dir: ${{paths.output_dir}}
accelerator: {name}
devices: {index + 1}
max_epochs: {10 + index}
deterministic: null
""",
        )
    parts = "".join(f"  - {name}\n" for name in CALLBACKS[:4])
    yield "callbacks/default", f"defaults:\n{parts}  - _self_\ncheckpoint: {{dirpath: '${{paths.output_dir}}/ckpt'}}\n"
    yield "callbacks/all", "defaults: [" + ", ".join(CALLBACKS) + "]\n"
    yield "callbacks/none", "{}\n"
    for index, name in enumerate(CALLBACKS):
        yield (
            f"callbacks/{name}",
            f"""\
{name}: {{_target_: "project.callbacks.{name}", monitor: val/loss, every: {index + 1}, on: "${{trainer.max_epochs}}"}}
""",
        )
    yield "logger/many", "defaults: [csv, tensorboard, wandb]\n"
    for name in LOGGERS:
        yield (
            f"logger/{name}",
            f"""\
{name}: {{save_dir: "${{paths.output_dir}}", name: "${{run_name}}", tags: "${{tags}}", offline: no}}
""",
        )
    for name, root in (("default", "."), ("cluster", "/scratch/${oc.env:COMPOSE_TEST_USER,nobody}"), ("test", "tmp")):
        yield (
            f"paths/{name}",
            f"""\
root: {root}
data_dir: ${{paths.root}}/data
log_dir: ${{.root}}/logs
output_dir: ${{hydra:runtime.output_dir}}
work_dir: ${{hydra:runtime.cwd}}
""",
        )
    for name, flag in (("default", "true"), ("quiet", "false")):
        yield f"extras/{name}", f"{{ignore_warnings: {flag}, print_config: {flag}, enforce_tags: no}}\n"
    for name in DEBUGS:
        more = "" if name == "default" else "defaults: [default]\n"
        yield (
            f"debug/{name}",
            f"""\
# @package _global_
{more}task_name: debug
callbacks: null
logger: null
extras: {{ignore_warnings: false}}
trainer: {{max_epochs: 1, debug_by: {name}}}
hydra: {{job_logging: {{root: {{level: DEBUG}}}}}}
""",
        )


def _experiments() -> Iterator[tuple[str, str]]:
    for index, name in enumerate(EXPERIMENTS):
        model, _, data = name.partition("_on_")
        yield (
            f"experiment/{name}",
            f"""\
# @package _global_
defaults:
  - override /data: {data}
  - override /model: {model}
  - override /model/net: {model.partition("_")[0]}_8
  - override /callbacks: {("default", "all", "none")[index % 3]}
  - override /trainer: {TRAINERS[index % len(TRAINERS)]}
  - override /logger: {("csv", "many", "null")[index % 3]}
tags: ["{model}", "${{data.name}}"]
seed: {index}
trainer: {{max_epochs: {index + 5}, gradient_clip_val: 0.5}}
model: {{optimizer: {{lr: {index + 1}e-4}}, net: {{dropout: 0.5}}, compile: true}}
data: {{batch_size: 64}}
""",
        )
    for index, name in enumerate(SEARCHES):
        yield (
            f"hparams/{name}",
            f"""\
# @package _global_
defaults:
  - override /extras: quiet
optimized_metric: val/acc
search: {{n_trials: {10 * (index + 1)}, over: {name.removeprefix("search_")}}}
hydra: {{sweeper: {{params: {{model.optimizer.lr: "interval(0.0001, 0.1)", seed: "1,2"}}}}}}
""",
        )
