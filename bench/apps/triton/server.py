import os
import socket

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig
from session import open_session

WIDTH = int(os.environ["WIDTH"])
session = open_session()
[classes] = [output.shape[1] for output in session.get_outputs() if output.name == "probabilities"]


@batch
def score(**feeds):
    [probabilities] = session.run(["probabilities"], feeds)
    return [probabilities]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


config = TritonConfig(
    http_address="127.0.0.1",
    http_port=int(os.environ["PORT"]),
    grpc_port=free_port(),
    metrics_port=free_port(),
    allow_grpc=False,
    allow_metrics=False,
)

if __name__ == "__main__":
    with Triton(config=config) as triton:
        triton.bind(
            model_name="model",
            infer_func=score,
            inputs=[Tensor(name="X", dtype=np.float32, shape=(WIDTH,))],
            outputs=[Tensor(name="probabilities", dtype=np.float32, shape=(classes,))],
            config=ModelConfig(max_batch_size=64, batcher=DynamicBatcher(max_queue_delay_microseconds=0)),
        )
        triton.serve()
