"""The kernel: vocabulary, stores, keys, ledger. Imports nothing of ours."""
