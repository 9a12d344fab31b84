"""Face recognition: people selected, faces aligned, recognisers trained and compared."""
