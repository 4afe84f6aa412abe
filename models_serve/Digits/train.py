"""A network of one hidden layer on 1,797 handwritten digits of 8 by 8 pixels, left as network.onnx."""

from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def train(output, report, hidden=128, penalty=0.01, epochs=60):
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16, y, test_size=0.2, stratify=y, random_state=0)
    network = MLPClassifier((hidden,), alpha=penalty, random_state=0)
    for epoch in range(1, epochs + 1):
        network.partial_fit(x_train, y_train, classes=range(10))
        if report(epoch, epochs, accuracy=network.score(x_test, y_test), loss=network.loss_):
            break
    onnx = to_onnx(network, x[:1].astype(np.float32), options={"zipmap": False}, target_opset=18)
    Path(output, "network.onnx").write_bytes(onnx.SerializeToString())
    return {"accuracy": network.score(x_test, y_test), "log_loss": log_loss(y_test, network.predict_proba(x_test))}
