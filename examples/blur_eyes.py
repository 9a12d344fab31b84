"""Blur the eyes of every face in a folder's images.

python examples/blur_eyes.py photos blurred
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from facealign import Aligner

source, target = map(Path, sys.argv[1:])
target.mkdir(exist_ok=True)
aligner = Aligner()
for path in sorted(source.glob("*.jpg")):
    image = cv2.imread(str(path))
    if image is None:
        print(f"{path}: not an image", file=sys.stderr)
        continue
    blurred = cv2.blur(image, (31, 31))
    mask = np.zeros(image.shape[:2], np.uint8)
    for face in aligner.predict(image[:, :, ::-1]):  # OpenCV's BGR to RGB
        for eye in (face.points[36:42], face.points[42:48]):
            (x, y), width = eye.mean(axis=0), float(np.ptp(eye[:, 0]))
            cv2.ellipse(mask, ((x, y), (2 * width, 1.5 * width), 0), 255, -1)
    cv2.imwrite(str(target / path.name), np.where(mask[..., None] > 0, blurred, image))
