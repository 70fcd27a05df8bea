"""Finished sweeps as runs of MLflow, TensorBoard or Weights & Biases. Their libraries load when called."""

from runyard.export.outcome import Exported
from runyard.export.to_mlflow import export_mlflow
from runyard.export.to_tensorboard import export_tensorboard
from runyard.export.to_wandb import export_wandb

__all__ = ["Exported", "export_mlflow", "export_tensorboard", "export_wandb"]
