"""Training a landmark network: recipe, augmentation, batches, losses and the loop."""
