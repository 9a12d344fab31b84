"""What the fuzz tests share: the sections of params.yaml, and how many cases to run."""

import os

from facealign.data.filtering import Data
from facealign.evaluation.scoring import Ced
from facealign.faces.cropping import Crop
from facealign.faces.detection import Detect
from facealign.faces.dlib_predictor import Dlib
from facealign.inference.labelling import Label
from facealign.inference.suspects.ranking import Suspects
from facealign.recognition.aligned_faces import Align
from facealign.recognition.learning import Recognize
from facealign.recognition.people import Examine, Identities
from facealign.recognition.recipe import Variants
from facealign.recognition.verification import Verify
from facealign.reports.wording import Report
from facealign.training.prediction import Predict
from facealign.training.recipe import Train
from stages.demo import Demo

SCALE = float(os.environ.get("FUZZ", "1"))  # `make fuzz` sets it
SEED = int(os.environ.get("FUZZ_SEED", "1"))

SECTIONS: dict[str, type] = {
    "data": Data,
    "demo": Demo,
    "detect": Detect,
    "label": Label,
    "suspects": Suspects,
    "crop": Crop,
    "train": Train,
    "predict": Predict,
    "dlib": Dlib,
    "ced": Ced,
    "report": Report,
    "recognition.compare": Variants,
    "recognition.examine": Examine,
    "recognition.identities": Identities,
    "recognition.align": Align,
    "recognition.recognize": Recognize,
    "recognition.verify": Verify,
}
