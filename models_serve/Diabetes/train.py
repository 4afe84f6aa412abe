"""Ridge regression on the diabetes data of Efron and others (2004; 442 patients).

The class form: Pawl makes, trains, evaluates and saves it in a run, and makes it again, loads it and asks it to predict
where it is served.
"""

from pathlib import Path

import pandas as pd

MEASURES = [
    "age",
    "sex",
    "bmi",
    "blood_pressure",
    "cholesterol",
    "ldl",
    "hdl",
    "cholesterol_per_hdl",
    "log_triglycerides",
    "glucose",
]


def features(patients: pd.DataFrame) -> pd.DataFrame:
    """What the regression sees: the measures, and what some of them are together."""
    return patients.assign(
        bmi_pressure=patients["bmi"] * patients["blood_pressure"],
        bmi_lipids=patients["bmi"] * patients["log_triglycerides"],
        age_sex=patients["age"] * patients["sex"],
    )


class Diabetes:
    """Ridge regression over a patient's measures. Those not given count as average."""

    def train(self, dataset_path, smallest_penalty=0.1, largest_penalty=100.0):
        # Only a run needs scikit-learn: where the model is served, pandas is enough.
        import numpy as np
        from sklearn.linear_model import RidgeCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        x, _, y, _ = split()
        penalties = np.geomspace(smallest_penalty, largest_penalty, 4)
        scaler, ridge = make_pipeline(StandardScaler(), RidgeCV(alphas=penalties)).fit(features(x), y)
        table = pd.DataFrame({"mean": scaler.mean_, "slope": ridge.coef_ / scaler.scale_}, index=features(x).columns)
        self.take(table, ridge.intercept_)

    def evaluate(self, dataset_path):
        _, x, _, y = split()
        predicted = self.progression(x)
        return {
            "r2": 1 - ((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum(),
            "mean_error": (y - predicted).abs().mean(),
        }

    def save(self, path):
        table = self.table.copy()
        table.loc["intercept"] = [self.intercept, 1.0]
        table.to_csv(Path(path, "coefficients.csv"), index_label="feature", float_format="%.9g")

    def load(self, path):
        table = pd.read_csv(Path(path, "coefficients.csv"), index_col="feature")
        self.take(table.drop("intercept"), table.loc["intercept", "mean"])

    def predict(self, query: pd.DataFrame) -> dict:
        patients = query.reindex(columns=MEASURES).astype(float).fillna(self.table["mean"])
        return {"progression": self.progression(patients).iloc[0]}

    def take(self, table: pd.DataFrame, intercept: float):
        self.table = table
        self.intercept = intercept

    def progression(self, patients: pd.DataFrame) -> pd.Series:
        distance = features(patients) - self.table["mean"]
        return self.intercept + distance.dot(self.table["slope"])


def split():
    """Patients to train on and to test on, and how far their diabetes came."""
    from sklearn.datasets import load_diabetes
    from sklearn.model_selection import train_test_split

    data = load_diabetes(scaled=False)
    patients = pd.DataFrame(data.data, columns=MEASURES)
    return train_test_split(patients, pd.Series(data.target), test_size=0.2, random_state=0)
