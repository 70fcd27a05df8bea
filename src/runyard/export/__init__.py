"""Finished sweeps as runs of MLflow or TensorBoard. Reads what is on disk; loads their libraries when called."""

from runyard.export.outcome import Exported
from runyard.export.to_mlflow import export_mlflow
from runyard.export.to_tensorboard import export_tensorboard

__all__ = ["Exported", "export_mlflow", "export_tensorboard"]
