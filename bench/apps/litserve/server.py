import os

import litserve
import numpy as np
from session import open_session


class Model(litserve.LitAPI):
    def setup(self, device):
        self.session = open_session()

    def decode_request(self, request):
        return np.array(request["row"], dtype=np.float32)

    def batch(self, inputs):
        return np.stack(inputs)

    def predict(self, x):
        [probabilities] = self.session.run(["probabilities"], {"X": x})
        return probabilities

    def unbatch(self, output):
        return list(output)

    def encode_response(self, output):
        return {"probabilities": output.tolist()}


if __name__ == "__main__":
    api = Model(max_batch_size=64, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=2,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
