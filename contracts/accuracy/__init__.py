"""What "accuracy above 99 %" means: measures, dimensions, figures, samples."""
