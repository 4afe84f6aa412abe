"""Is a breast tumour malignant, judging by its cell nuclei under the microscope?"""

from dataclasses import dataclass, fields

import numpy as np


@dataclass
class Nuclei:
    radius: float
    texture: float
    perimeter: float
    area: float
    smoothness: float
    compactness: float
    concavity: float
    concave_points: float
    symmetry: float
    fractal_dimension: float


@dataclass
class Tumour:
    mean: Nuclei
    error: Nuclei
    """Standard errors of the means."""
    worst: Nuclei
    """Means of the three largest nuclei."""


MEASURES = [field.name for field in fields(Nuclei)]


class BreastCancer:
    """Gradient-boosted trees over 30 measures of a tumour's cell nuclei (Wisconsin data, 1995)."""

    def __init__(self, onnx):
        self.model = onnx["model"]

    def transform_predict(self, variables: Tumour) -> dict:
        groups = (variables.mean, variables.error, variables.worst)
        row = [getattr(group, measure) for group in groups for measure in MEASURES]
        [probabilities] = self.model.run(["probabilities"], {"X": np.array([row], dtype=np.float32)})
        probability = probabilities[0, 1]
        return {"diagnosis": "malignant" if probability >= 0.5 else "benign", "probability": probability}
