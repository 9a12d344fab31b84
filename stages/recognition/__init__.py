"""The stages of recognition, which dvc.yaml beside them links: `make recognition`."""
