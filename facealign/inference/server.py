"""Landmarks over HTTP, for `facealign serve`."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from facealign import __version__
from facealign.core import images
from facealign.core.errors import ImageError
from facealign.core.parallel import prepare_worker, workers
from facealign.inference.aligner import Aligner, as_dict

SECONDS_TO_SEND = 30.0  # that a client has to send an image
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes of an image file: JPEG, PNG, BMP, TIFF or WebP.",
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class FaceFound(BaseModel):
    """As `facealign predict --format json` writes it."""

    box: list[float]
    score: float | None
    points: list[list[float]]
    scores: list[float] | None
    pose: dict[str, float] | None


class Found(BaseModel):
    width: int
    height: int
    faces: list[FaceFound]


class Problem(BaseModel):
    error: str


@dataclass(frozen=True)
class Limits:
    waiting: int  # requests at a time; more get 503
    size: int  # bytes of an image


class Metrics:
    """Counts in the text format of Prometheus."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.faces = 0
        self.requests: Counter[int] = Counter()  # by status
        self.seconds: Counter[float] = Counter()  # requests by the lowest bucket that holds them
        self.total_seconds = 0.0

    def add(self, status: int, seconds: float) -> None:
        self.requests[status] += 1
        self.total_seconds += seconds
        self.seconds[next((limit for limit in BUCKETS if seconds <= limit), float("inf"))] += 1

    def text(self) -> str:
        lines = ["# TYPE facealign_requests_total counter"]
        for status, count in sorted(self.requests.items()):
            lines.append(f'facealign_requests_total{{status="{status}"}} {count}')
        lines += ["# TYPE facealign_faces_total counter", f"facealign_faces_total {self.faces}"]
        lines += ["# TYPE facealign_in_flight gauge", f"facealign_in_flight {self.in_flight}"]
        lines.append("# TYPE facealign_request_seconds histogram")
        below = 0
        for limit in (*BUCKETS, float("inf")):
            below += self.seconds[limit]
            name = "+Inf" if limit == float("inf") else f"{limit:g}"
            lines.append(f'facealign_request_seconds_bucket{{le="{name}"}} {below}')
        lines.append(f"facealign_request_seconds_sum {self.total_seconds:.6f}")
        lines.append(f"facealign_request_seconds_count {below}")
        return "\n".join(lines) + "\n"


class Pool:
    """Processes that find faces. If one dies, perhaps of an image, all are replaced."""

    def __init__(self, aligner: Aligner) -> None:
        self._aligner = aligner
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        context = get_context("spawn")
        return ProcessPoolExecutor(workers(), context, _prepare, (self._aligner,))

    async def wait(self) -> None:
        """Until each process has loaded the networks."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            *(loop.run_in_executor(self._executor, _ready) for _ in range(workers()))
        )

    async def find(self, data: bytes) -> dict[str, Any]:
        executor = self._executor
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, _find, data)
        except ImageError as error:
            raise HTTPException(400, str(error)) from None
        except BrokenProcessPool:
            if executor is self._executor:  # and not replaced by another request
                self._executor = self._start()
            raise HTTPException(500, "the process that found the faces was killed") from None

    def close(self) -> None:
        self._executor.shutdown(cancel_futures=True)


def serve(aligner: Aligner, host: str, port: int, limits: Limits) -> None:
    """Answer requests until SIGTERM or Ctrl-C; those that were begun are finished."""
    uvicorn.run(make_app(aligner, limits), host=host, port=port, access_log=False)


def make_app(aligner: Aligner, limits: Limits) -> FastAPI:
    metrics = Metrics()
    pools: list[Pool] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = Pool(aligner)
        await pool.wait()
        pools.append(pool)
        yield
        pool.close()

    # without pages of documentation, which load scripts from the web
    app = FastAPI(
        title="facealign", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None
    )

    @app.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> JSONResponse:
        headers = {"Retry-After": "1"} if error.status_code == 503 else None
        return JSONResponse({"error": error.detail}, error.status_code, headers)

    problems: dict[int | str, dict[str, Any]]
    problems = {status: {"model": Problem} for status in (400, 408, 413, 500, 503)}

    @app.post("/predict", response_model=Found, responses=problems, openapi_extra=_BODY)
    async def predict(request: Request) -> Any:
        """The faces in an image, and their landmarks."""
        started = time.perf_counter()
        status = 500
        try:
            if metrics.in_flight >= limits.waiting:
                raise HTTPException(
                    503, f"{limits.waiting} images are waiting already: try again later"
                )
            metrics.in_flight += 1
            try:
                found = await pools[0].find(await _body(request, limits.size))
            finally:
                metrics.in_flight -= 1
            metrics.faces += len(found["faces"])
            status = 200
            return JSONResponse(found)
        except HTTPException as error:
            status = error.status_code
            raise
        finally:
            metrics.add(status, time.perf_counter() - started)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def measured() -> Response:
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")

    return app


async def _body(request: Request, most: int) -> bytes:
    data = bytearray()
    try:
        async with asyncio.timeout(SECONDS_TO_SEND):
            async for chunk in request.stream():
                data += chunk
                if len(data) > most:
                    raise HTTPException(413, f"the image has more than {most:,} bytes")
    except TimeoutError:
        raise HTTPException(
            408, f"the image did not come within {SECONDS_TO_SEND:g} seconds"
        ) from None
    except ClientDisconnect:
        raise HTTPException(400, "the connection was closed too early") from None
    return bytes(data)


_aligners: list[Aligner] = []  # of a worker process: one


def _prepare(aligner: Aligner) -> None:
    prepare_worker()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends its processes
    _aligners.append(aligner)


def _ready() -> None:
    time.sleep(0.1)  # so that the others start as well


def _find(data: bytes) -> dict[str, Any]:
    image = images.decode(data, Path("the body"))
    height, width = image.shape[:2]
    faces = [as_dict(face) for face in _aligners[0].predict(image)]
    return {"width": width, "height": height, "faces": faces}
