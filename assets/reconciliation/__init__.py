"""The departments' joint review of conflicts: the worklist kept up, handed out, taken back."""
