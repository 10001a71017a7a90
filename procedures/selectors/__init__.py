"""Reads. Each selector says which relations it loads; templates cross no other."""
