"""The pictures and points are the same, whatever the processor and its libraries' kernels are."""

import hashlib
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import cv2
import numpy as np
import pytest

from facealign.synthesis.film import film, swaying
from facealign.synthesis.pictures import Plan, plan_people, plan_pictures, render
from tests.helpers import ROOT

# With the versions of requirements.txt. Another hash is another demo archive: dvc.lock must change.
EXPECTED = "554ec1b5d8b25c3a533beed548c54401b5184e845230df394162056afdc5d5a4"


def chosen_plans() -> list[Plan]:
    """One of each kind and format, four occluded ones and two people."""
    plans = plan_pictures(200, seed=68)
    first = {(plan.kind, PurePosixPath(plan.name).suffix): plan for plan in plans[::-1]}
    occluded = [plan for plan in plans if plan.kind == "occluded"][:4]
    return [*first.values(), *occluded, *plan_people(2, 4, seed=68)[::4]]


def digest() -> str:
    total = hashlib.sha256()
    for plan in chosen_plans():
        picture, points = render(plan)
        total.update(plan.name.encode() + picture + points.tobytes())
    for frame, points in film(swaying, 2, seed=5):
        total.update(frame.tobytes() + points.tobytes())
    return total.hexdigest()


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


def digests_under(variables: dict[str, str]) -> tuple[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "OPENCV_"))}
    threads = variables["THREADS"]
    script = (
        f"import cv2; cv2.setNumThreads({threads})\n"
        "from tests.synthesis import test_same_bytes as test\n"
        "print(test.digest(), test.inexact_digest())"
    )
    counts = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=clean | counts | variables,
    )
    exactly, inexactly = done.stdout.split()
    return exactly, inexactly


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="not an x86-64 processor")
def test_the_bytes_are_the_same_on_every_processor() -> None:
    processors = environments()
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(digests_under, processors.values()))
    exact_ones = dict(zip(processors, (exactly for exactly, _ in results), strict=True))
    assert exact_ones == dict.fromkeys(processors, EXPECTED)
    if len(processors) > 3:
        assert len({inexactly for _, inexactly in results}) > 2
