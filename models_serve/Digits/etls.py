"""Which digit is it?"""

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct


class Image(Struct):
    pixels: Annotated[list[float], Meta(min_length=64, max_length=64)]
    """8 rows of 8, from 0 (white) to 16 (black)."""


class Digits:
    """A small neural network that reads handwritten digits."""

    def __init__(self, onnx):
        self.network = onnx["network"]

    def transform_predict(self, variables: Image) -> dict:
        image = np.array([variables.pixels], dtype=np.float32) / 16
        [probabilities] = self.network.run(["probabilities"], {"X": image})
        return {"digit": probabilities[0].argmax(), "probabilities": probabilities[0]}
