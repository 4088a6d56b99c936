"""Delivery: from the drop folder through landing to one relation of text."""
