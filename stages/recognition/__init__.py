"""The stages of the recognition pipeline; dvc.yaml beside them links them."""
