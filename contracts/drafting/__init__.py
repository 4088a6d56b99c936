"""A first contract from a sample file, with every doubt marked."""
