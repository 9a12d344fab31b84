"""Errors of predicted points, AUC, confidence intervals and calibration."""
