import msgspec
import numpy as np
from session import open_session

session = open_session()
decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    answer = encode(score(decode(await read(receive))))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def read(receive):
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body")
    return body


def score(variables):
    [probabilities] = session.run(["probabilities"], {"X": np.array([variables["row"]], dtype=np.float32)})
    return {"probabilities": probabilities[0].tolist()}
