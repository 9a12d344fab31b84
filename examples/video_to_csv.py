"""Measure the mouth opening of each face in a video: one CSV row per frame and face.

facealign video talk.mp4 --json talk.jsonl
python examples/video_to_csv.py talk.jsonl talk.csv
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np

source, target = map(Path, sys.argv[1:])
with target.open("w", encoding="utf-8", newline="") as file:
    table = csv.writer(file)
    table.writerow(["frame", "seconds", "track", "yaw", "mouth_opening"])
    for line in source.read_text(encoding="utf-8").splitlines():
        frame = json.loads(line)
        for face in frame["faces"]:
            points = np.array(face["points"])
            # the gap between the inner lips, as a share of the mouth's width
            opening = np.linalg.norm(points[62] - points[66]) / np.linalg.norm(
                points[54] - points[48]
            )
            yaw = face["pose"]["yaw"]
            table.writerow([frame["frame"], frame["seconds"], face["track"], yaw, f"{opening:.3f}"])
