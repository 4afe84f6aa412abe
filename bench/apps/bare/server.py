"""Reads the body, answers a constant."""

HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"49")]
ANSWER = b'{"probabilities":[0.12345678806304932,0.8765432]}'


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})
