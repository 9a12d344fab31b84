"""The 68 iBUG/300-W landmarks of a face: train, measure and compare detectors."""

__version__ = "0.1.0"
