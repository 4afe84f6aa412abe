"""How long the sun is up: no model at all, only Python."""

from dataclasses import dataclass
from datetime import date
from math import acos, cos, pi, radians, tan


@dataclass
class Place:
    latitude: float = 52.5
    """Degrees north; Berlin if not given."""
    day: date | None = None
    """Today if not given."""


class Daylight:
    """Hours of daylight at a latitude on a day, to within ten minutes or so."""

    def transform_predict(self, variables: Place) -> dict:
        day = variables.day or date.today()
        tilt = radians(-23.44) * cos(2 * pi / 365 * (day.timetuple().tm_yday + 10))
        dusk = -tan(radians(variables.latitude)) * tan(tilt)
        return {"day": day, "hours": round(24 / pi * acos(max(-1.0, min(1.0, dusk))), 2)}
