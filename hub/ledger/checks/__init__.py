"""What a reading of a whole ledger is made of: fast where all is sound, exact where it is not."""
