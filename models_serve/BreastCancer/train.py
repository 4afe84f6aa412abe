"""Gradient-boosted trees on the Wisconsin breast cancer data (569 tumours, 30 measures), left as model.onnx."""

from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split


def train(output, report, trees=100, depth=3, learning_rate=0.1):
    x, y = load_breast_cancer(return_X_y=True)
    y = 1 - y  # there, 1 is benign
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
    model = GradientBoostingClassifier(
        n_estimators=trees, max_depth=depth, learning_rate=learning_rate, random_state=0
    ).fit(x_train, y_train)
    for step, probabilities in enumerate(model.staged_predict_proba(x_test), 1):
        report(step, trees, log_loss=log_loss(y_test, probabilities))
    # An array for the probabilities instead of a list of dicts, and a first dimension left open for any number of rows.
    onnx = to_onnx(model, x[:1].astype(np.float32), options={"zipmap": False}, target_opset={"": 18, "ai.onnx.ml": 3})
    Path(output, "model.onnx").write_bytes(onnx.SerializeToString())
    return {"accuracy": model.score(x_test, y_test), "log_loss": log_loss(y_test, model.predict_proba(x_test))}
