"""Labels that are probably wrong: expected points, scores, kinds of errors, and the export."""
