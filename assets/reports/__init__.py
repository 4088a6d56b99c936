"""What leaves the hub about its data's quality: samples for the field and their worksheets."""
