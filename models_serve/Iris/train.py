"""Logistic regression on Fisher's 150 irises, left as iris.onnx.

There is no etls.py: the file is served as it is, so its inputs and outputs are named here for those who call it.
"""

from pathlib import Path

from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split


def train(output, inverse_regularisation=1.0, test_share=0.2):
    iris = load_iris()
    species = iris.target_names[iris.target]
    x_train, x_test, y_train, y_test = train_test_split(
        iris.data, species, test_size=test_share, stratify=species, random_state=0
    )
    model = LogisticRegression(C=inverse_regularisation, max_iter=1000).fit(x_train, y_train)
    onnx = to_onnx(
        model,
        initial_types=[("measurements", FloatTensorType([None, 4]))],  # None: any number of rows
        options={"zipmap": False},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    Path(output, "iris.onnx").write_bytes(onnx.SerializeToString())
    return {"accuracy": model.score(x_test, y_test), "log_loss": log_loss(y_test, model.predict_proba(x_test))}
