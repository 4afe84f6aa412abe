"""Which of three cultivars is a wine from? LightGBM on 178 Italian wines, in the class form."""

from pathlib import Path

import lightgbm
import numpy as np

CULTIVARS = ("barolo", "grignolino", "barbera")
MEASURES = (
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280_od315",
    "proline",
)


class Wine:
    """Gradient-boosted trees over a wine's chemistry."""

    def __init__(self, learning_rate=0.1):
        self.learning_rate = learning_rate
        self.booster = None

    @staticmethod
    def get_param_type():
        return {"rounds": "int", "leaves": "int", "smallest_leaf": "int"}

    def train(self, dataset_path, rounds=60, leaves=7, smallest_leaf=5):
        x, _, y, _ = split()
        options = {
            "objective": "multiclass",
            "num_class": len(CULTIVARS),
            "learning_rate": self.learning_rate,
            "num_leaves": leaves,
            "min_data_in_leaf": smallest_leaf,
            "deterministic": True,
            "num_threads": 1,
            "seed": 0,
            "verbose": -1,
        }
        self.booster = lightgbm.train(options, lightgbm.Dataset(x, y), rounds)

    def evaluate(self, dataset_path):
        """(loss, accuracy)"""
        _, x, _, y = split()
        probabilities = self.booster.predict(x)
        loss = -np.log(probabilities[np.arange(len(y)), y]).mean()
        return loss, (probabilities.argmax(axis=1) == y).mean()

    def save(self, path):
        self.booster.save_model(Path(path, "wine.txt"))

    def load(self, path):
        self.booster = lightgbm.Booster(model_file=str(Path(path, "wine.txt")))

    def predict(self, query: dict) -> dict:
        row = [[float(query[measure]) for measure in MEASURES]]
        [probabilities] = self.booster.predict(row)
        return {"cultivar": CULTIVARS[probabilities.argmax()], "probabilities": dict(zip(CULTIVARS, probabilities))}

    def destroy(self):
        self.booster = None


def split():
    """Wines to train on and to test on, and which cultivar each is from."""
    # Only a run needs scikit-learn, for its data.
    from sklearn.datasets import load_wine
    from sklearn.model_selection import train_test_split

    x, y = load_wine(return_X_y=True)
    return train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
