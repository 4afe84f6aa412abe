"""How far will a patient's diabetes have come in a year?"""

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

    def __init__(self, path):
        table = pd.read_csv(path + "coefficients.csv", index_col="feature")
        self.intercept = table.loc["intercept", "mean"]
        self.table = table.drop("intercept")

    def transform_predict(self, variables: pd.DataFrame) -> dict:
        patients = variables.reindex(columns=MEASURES).astype(float).fillna(self.table["mean"])
        distance = features(patients) - self.table["mean"]
        return {"progression": self.intercept + distance.dot(self.table["slope"]).iloc[0]}
