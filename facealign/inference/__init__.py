"""Landmarks of pictures, folders and video by an exported network."""
