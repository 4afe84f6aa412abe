"""Train the model of this folder: python models_serve/Diabetes/fit.py

Ridge regression on the diabetes data of Efron and others (2004; 442 patients), written to coefficients.csv.
"""

import json
from pathlib import Path

import pandas as pd
from etls import MEASURES, Diabetes, features
from sklearn.datasets import load_diabetes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent

data = load_diabetes(scaled=False)
patients = pd.DataFrame(data.data, columns=MEASURES)
x_train, x_test, y_train, y_test = train_test_split(patients, data.target, test_size=0.2, random_state=0)

model = make_pipeline(StandardScaler(), RidgeCV(alphas=[0.1, 1, 10, 100])).fit(features(x_train), y_train)
scaler, ridge = model[0], model[1]
print(f"R² on {len(y_test)} patients not trained on: {model.score(features(x_test), y_test):.3f}")

table = pd.DataFrame({"mean": scaler.mean_, "slope": ridge.coef_ / scaler.scale_}, index=features(x_train).columns)
table.loc["intercept"] = [ridge.intercept_, 1.0]
table.to_csv(HERE / "coefficients.csv", index_label="feature", float_format="%.9g")
print(f"coefficients.csv: {len(table) - 1} features and the intercept")

served = Diabetes(f"{HERE}/")
requests = [x_test.iloc[0].to_dict(), x_test.iloc[1].to_dict(), {"age": 60, "bmi": 31.5, "blood_pressure": 101}]
examples = [{"variables": row, "expect": served.transform_predict(pd.DataFrame([row]))} for row in requests]
(HERE / "examples.json").write_text("[\n  " + ",\n  ".join(map(json.dumps, examples)) + "\n]\n")
print(f"examples.json: {len(examples)} examples")
