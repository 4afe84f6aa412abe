"""Keeps each model as it is wanted: decides, starts, swaps, retires."""
