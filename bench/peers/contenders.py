"""All contenders, by the names that choose them."""

from __future__ import annotations

from collections.abc import Mapping

from bench.contenders.contender import Contender
from bench.peers import bare, bentoml, fastapi, flask, inline, litserve, mlserver, pawl, ray, triton

CONTENDERS: Mapping[str, Contender] = {
    "bare": bare.PEER,
    "pawl": pawl.PEER,
    "inline": inline.PEER,
    "fastapi": fastapi.PEER,
    "triton": triton.PEER,
    "triton-binary": triton.BINARY,
    "litserve": litserve.PEER,
    "bentoml": bentoml.PEER,
    "mlserver": mlserver.PEER,
    "ray": ray.PEER,
    "flask": flask.PEER,
}
