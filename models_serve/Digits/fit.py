"""Train the model of this folder: python models_serve/Digits/fit.py

A network of one hidden layer on 1,797 handwritten digits of 8 by 8 pixels, written to network.onnx.
"""

import json
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

HERE = Path(__file__).parent

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)

network = MLPClassifier((128,), alpha=0.01, max_iter=300, random_state=0).fit(x_train / 16, y_train)
print(f"accuracy on {len(y_test)} digits not trained on: {network.score(x_test / 16, y_test):.3f}")

onnx = to_onnx(network, x[:1].astype(np.float32), options={"zipmap": False}, target_opset=18)
(HERE / "network.onnx").write_bytes(onnx.SerializeToString())
print(f"network.onnx: {(HERE / 'network.onnx').stat().st_size:,} bytes")

examples = []
for pixels, probabilities in zip(x_test[:3], network.predict_proba(x_test[:3] / 16)):
    expect = {"digit": int(probabilities.argmax()), "probabilities": probabilities.round(6).tolist()}
    variables = {"pixels": pixels.astype(int).tolist()}
    examples.append({"variables": variables, "expect": expect, "tolerance": 1e-3})
(HERE / "examples.json").write_text("[\n  " + ",\n  ".join(map(json.dumps, examples)) + "\n]\n")
print(f"examples.json: {len(examples)} examples")
