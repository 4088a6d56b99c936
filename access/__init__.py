"""Who may see what, and why: policy, decision, masking, guard. Imports hub."""
