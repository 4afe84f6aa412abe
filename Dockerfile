# docker build -t pawl .                       for CPUs
# docker build -t pawl --build-arg CUDA=1 .    for NVIDIA GPUs: with the CUDA libraries, some gigabytes more
# docker run -p 8000:8000 -v pawl:/data -e gitPath=https://… pawl
#
# Any user whose group is 0 will do, and the root may be read-only: it writes to /data and /tmp alone. A training run's pod
# runs the same image with another command, python -m trainer.run.
ARG BASE=python:3.11-slim
FROM ${BASE}

# tini reaps what builds and models leave behind; git and ssh fetch the models; LightGBM's package lacks libgomp.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git libgomp1 openssh-client tini \
    && rm -rf /var/lib/apt/lists/* \
    # A repository mounted from the host belongs to a user that is unknown here.
    && git config --system --add safe.directory '*' \
    && useradd --uid 1000 --create-home pawl \
    # For any other user too, as long as its group is 0: OpenShift picks one.
    && install --directory --owner pawl --group root --mode 2775 /data

# kubectl exec deployment/pawl -- pawl ls: the command line, for the server beside it.
RUN printf '#!/bin/sh\nexec env PYTHONPATH=/pawl python -P -m pawl "$@"\n' > /usr/local/bin/pawl \
    && chmod 755 /usr/local/bin/pawl

WORKDIR /pawl
ENV PATH=/venv/bin:$PATH

# Before the code, so that a change of code alone leaves this layer as it is.
ARG CUDA=
COPY requirements.txt .
RUN python -m venv /venv \
    && pip install --no-cache-dir --disable-pip-version-check "$(grep '^uv==' requirements.txt)" \
    && uv pip install --python /venv/bin/python --no-cache --compile-bytecode \
        --requirements requirements.txt ${CUDA:+"onnxruntime-gpu[cuda,cudnn]"} \
    # Without CUDA's own libraries, 270 MB of no use.
    && if [ -z "$CUDA" ]; then find /venv -name 'libonnxruntime_providers_cuda.so' -delete; fi

COPY . .
# Python's own modules too: the base image comes without their byte-code, and no process here could write it.
RUN python -m compileall -q -x '^./models_serve/' . \
    && python -m compileall -q -x '/(site-packages|idlelib|lib2to3|tkinter|turtledemo)/' \
        "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"

# The packages of models' environments are hard-linked from the cache, so it lies on the same volume.
# What models' libraries cache goes to /tmp: the root, and so the home, may be read-only. ONNX Runtime would report its use
# to its makers. PAWL_DEFAULTS: env.example says what it is.
ENV PAWL_DEFAULTS="HOST=0.0.0.0 DATA_DIR=/data" \
    UV_CACHE_DIR=/data/cache/uv \
    XDG_CACHE_HOME=/tmp/.cache \
    ORT_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

USER 1000
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-m", "server.process.health"]
ENTRYPOINT ["tini", "--", "python", "-m", "server"]
