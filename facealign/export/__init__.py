"""Trained networks as ONNX files, in float32 or int8."""
