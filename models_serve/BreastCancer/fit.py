"""Train the model of this folder: python models_serve/BreastCancer/fit.py

Gradient-boosted trees on the Wisconsin breast cancer data (569 tumours, 30 measures), written to model.onnx.
"""

import json
from pathlib import Path

import numpy as np
from etls import MEASURES
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
GROUPS = ("mean", "error", "worst")

x, y = load_breast_cancer(return_X_y=True)
y = 1 - y  # there, 1 is benign
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)

model = GradientBoostingClassifier(random_state=0).fit(x_train, y_train)
print(f"accuracy on {len(y_test)} tumours not trained on: {model.score(x_test, y_test):.3f}")

# An array for the probabilities instead of a list of dicts, and a first dimension left open for any number of rows.
onnx = to_onnx(model, x[:1].astype(np.float32), options={"zipmap": False}, target_opset={"": 18, "ai.onnx.ml": 3})
(HERE / "model.onnx").write_bytes(onnx.SerializeToString())
print(f"model.onnx: {(HERE / 'model.onnx').stat().st_size:,} bytes")

shown = x_test[[*np.flatnonzero(y_test == 1)[:2], *np.flatnonzero(y_test == 0)[:1]]]
examples = []
for row, probability in zip(shown, model.predict_proba(shown)[:, 1]):
    variables = {group: dict(zip(MEASURES, values.tolist())) for group, values in zip(GROUPS, row.reshape(3, -1))}
    expect = {
        "diagnosis": "malignant" if probability >= 0.5 else "benign",
        "probability": round(probability, 6),
    }
    examples.append({"variables": variables, "expect": expect, "tolerance": 1e-3})
(HERE / "examples.json").write_text("[\n  " + ",\n  ".join(map(json.dumps, examples)) + "\n]\n")
print(f"examples.json: {len(examples)} examples")
