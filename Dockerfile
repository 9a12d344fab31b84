# Two images, without root and without a GPU.
#
# facealign alone:
#   docker build --target landmarks -t facealign .
#   docker run --rm -v "$PWD/photos:/photos:ro" facealign predict /photos
#   docker run --rm -p 127.0.0.1:8000:8000 facealign serve --host 0.0.0.0
# The whole pipeline; --build-arg PIP_EXTRA_INDEX_URL=... names an index of torch's CPU builds, if any:
#   docker build -t facealign-pipeline .
#   docker run --rm facealign-pipeline

FROM python:3.11-slim AS landmarks
RUN useradd --create-home facealign
USER facealign
WORKDIR /home/facealign
COPY --chown=facealign pyproject.toml README.md LICENSE LICENSE-WEIGHTS source/
COPY --chown=facealign facealign source/facealign
RUN python -m venv venv && \
    venv/bin/pip install --no-cache-dir "./source[baseline,figures,serve]" && \
    rm -r source
ENV PATH=/home/facealign/venv/bin:$PATH
ENTRYPOINT ["facealign"]
CMD ["--help"]

FROM python:3.11-slim AS pipeline
RUN apt-get update && \
    apt-get install --yes --no-install-recommends git make && \
    rm -rf /var/lib/apt/lists/*
RUN useradd --create-home facealign
USER facealign
RUN mkdir /home/facealign/project
WORKDIR /home/facealign/project
COPY --chown=facealign requirements.txt .
ARG PIP_EXTRA_INDEX_URL
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir -r requirements.txt
COPY --chown=facealign . .
RUN make .venv/installed
ENV PATH=/home/facealign/project/.venv/bin:$PATH
CMD ["make", "demo"]
