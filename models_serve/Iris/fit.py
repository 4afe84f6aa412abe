"""Train the model of this folder: python models_serve/Iris/fit.py

Logistic regression on 150 irises, written to iris.onnx. There is no etls.py: the file is served as it is,
so its inputs and outputs are named here for those who will call it.
"""

import json
from pathlib import Path

from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent

iris = load_iris()
species = iris.target_names[iris.target]
x_train, x_test, y_train, y_test = train_test_split(iris.data, species, test_size=0.2, stratify=species, random_state=0)

model = LogisticRegression(max_iter=1000).fit(x_train, y_train)
print(f"accuracy on {len(y_test)} irises not trained on: {model.score(x_test, y_test):.3f}")

onnx = to_onnx(
    model,
    initial_types=[("measurements", FloatTensorType([None, 4]))],  # None: any number of rows
    options={"zipmap": False},
    target_opset={"": 18, "ai.onnx.ml": 3},
)
(HERE / "iris.onnx").write_bytes(onnx.SerializeToString())
print(f"iris.onnx: {(HERE / 'iris.onnx').stat().st_size:,} bytes")

examples = []
for row, label, probabilities in zip(x_test[:3], model.predict(x_test[:3]), model.predict_proba(x_test[:3])):
    expect = {"label": str(label), "probabilities": probabilities.round(6).tolist()}
    examples.append({"variables": {"measurements": row.tolist()}, "expect": expect, "tolerance": 1e-3})
(HERE / "examples.json").write_text("[\n  " + ",\n  ".join(map(json.dumps, examples)) + "\n]\n")
print(f"examples.json: {len(examples)} examples")
