"""Labelled faces in the formats of annotation tools, and the conversion between them."""
