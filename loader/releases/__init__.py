"""Releases on disk, and the file that says which were live last."""
