"""Other processors, as far as this one can stand for them by disabling its instructions."""

import hashlib
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from tests.helpers import ROOT

on_x86_64 = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="not an x86-64 processor"
)


def on_every_processor(module: str) -> dict[str, str]:
    """The result of the module's function `digest`, by processor."""
    processors = environments()
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda one: _digests(module, one), processors.values()))
    if len(processors) > 3:
        assert len({inexact for _, inexact in results}) > 2
    return dict(zip(processors, (exact for exact, _ in results), strict=True))


def inexact_digest() -> str:
    """Of what does depend on the processor: it shows that the environment has an effect."""
    values = np.random.default_rng(0).uniform(0, 1, (200, 200))
    blurred = cv2.GaussianBlur(values.astype(np.float32), (0, 0), 2)
    results = (values @ values, np.exp(values), blurred)
    return hashlib.sha256(b"".join(result.tobytes() for result in results)).hexdigest()


def environments() -> dict[str, dict[str, str]]:
    """Processors that this one can stand for."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    avx512 = [name for name in found if name.startswith(("AVX512", "X86_V4"))]
    instructions = "SSE4.1,SSE4.2,AVX,FP16,AVX2,FMA3,AVX512-COMMON,AVX512-SKX"
    those = {
        "SSE": {
            "OPENBLAS_CORETYPE": "Prescott",
            "NPY_DISABLE_CPU_FEATURES": " ".join(found),
            "OPENCV_CPU_DISABLE": instructions,
            "OPENCV_IPP": "disabled",
            "JSIMD_FORCENONE": "1",
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-FMA4",
            "THREADS": "4",
        },
        "SSE with OpenCV's AVX2": {
            "OPENBLAS_CORETYPE": "Nehalem",
            "NPY_DISABLE_CPU_FEATURES": " ".join(found),
            "OPENCV_IPP": "sse42",
            "THREADS": "1",
        },
        "this": {"THREADS": "4"},
    }
    if {"AVX2", "X86_V3"} & set(found):
        those["AVX2"] = {
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": " ".join(avx512),
            "OPENCV_CPU_DISABLE": "AVX512-COMMON,AVX512-SKX",
            "OPENCV_IPP": "avx2",
            "THREADS": "1",
        }
    if avx512:
        those["AVX-512"] = {"OPENBLAS_CORETYPE": "SkylakeX", "THREADS": "1"}
    return those


def _digests(module: str, variables: dict[str, str]) -> tuple[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "OPENCV_"))}
    threads = variables["THREADS"]
    script = (
        f"import cv2; cv2.setNumThreads({threads})\n"
        f"from {module} import digest\n"
        "from tests.processors import inexact_digest\n"
        "print(digest(), inexact_digest())"
    )
    counts = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
        env=clean | counts | variables,
    )
    exact, inexact = done.stdout.split()[-2:]
    return exact, inexact
