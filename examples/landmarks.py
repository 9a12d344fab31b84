"""Print the positions of the eyes, nose and mouth of each face in a photo.

python examples/landmarks.py photo.jpg
"""

import sys

from facealign import Aligner

PARTS = {
    "right eye": range(36, 42),
    "left eye": range(42, 48),
    "nose": [30],
    "mouth": range(48, 68),
}

for number, face in enumerate(Aligner().predict(sys.argv[1]), 1):
    print(f"face {number}")
    for part, points in PARTS.items():
        x, y = face.points[list(points)].mean(axis=0)
        print(f"  {part}: {x:.1f}, {y:.1f}")
    if face.pose is not None:
        print(f"  yaw: {face.pose.yaw:.0f} degrees")
