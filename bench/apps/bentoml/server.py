from typing import Annotated

import bentoml
import numpy as np
from bentoml.validators import DType
from session import open_session

Rows = Annotated[np.ndarray, DType("float32")]


@bentoml.service(
    workers=2,
    traffic={"timeout": 60},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Model:
    def __init__(self):
        self.session = open_session()

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    def predict(self, rows: Rows) -> Rows:
        [probabilities] = self.session.run(["probabilities"], {"X": rows})
        return probabilities
