"""One face in one picture: detection, crops, alignment, head pose and image quality."""
