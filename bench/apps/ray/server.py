import os
import signal

import numpy as np
import ray
from ray import serve
from ray.serve.config import HTTPOptions
from ray.serve.schema import LoggingConfig
from session import open_session
from starlette.responses import JSONResponse


@serve.deployment(num_replicas=1, max_ongoing_requests=1024)
class Model:
    def __init__(self):
        self.session = open_session()

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.001)
    async def score(self, rows):
        [probabilities] = self.session.run(["probabilities"], {"X": np.array(rows, dtype=np.float32)})
        return list(probabilities)

    async def __call__(self, request):
        variables = await request.json()
        return JSONResponse({"probabilities": (await self.score(variables["row"])).tolist()})


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False)
    serve.start(
        http_options=HTTPOptions(host="127.0.0.1", port=int(os.environ["PORT"])),
        logging_config=LoggingConfig(enable_access_log=False, log_level="WARNING"),
    )
    serve.run(Model.bind(), route_prefix="/", name="model")
    signal.pause()
