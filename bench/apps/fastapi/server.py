import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel
from session import open_session

app = FastAPI()
session = open_session()


class Variables(BaseModel):
    row: list[float]


@app.post("/predict")
def predict(variables: Variables) -> dict:
    [probabilities] = session.run(["probabilities"], {"X": np.array([variables.row], dtype=np.float32)})
    return {"probabilities": probabilities[0].tolist()}
