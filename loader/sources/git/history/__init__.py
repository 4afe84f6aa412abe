"""The history of the followed branch: what version numbers are counted from."""
