"""Who is to be seen: people chosen, faces aligned, recognisers trained and compared."""

TRAIN, VALIDATE, UNSEEN = "train", "validate", "unseen"  # what a picture is for
