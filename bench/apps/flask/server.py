import numpy as np
import pandas as pd
from flask import Flask, jsonify, request
from session import open_session

app = Flask(__name__)
session = open_session()


@app.post("/predict")
def predict():
    frame = pd.json_normalize(request.get_json()["variables"])
    [probabilities] = session.run(["probabilities"], {"X": frame.to_numpy(dtype=np.float32)})
    return jsonify(probabilities=probabilities[0].tolist())
