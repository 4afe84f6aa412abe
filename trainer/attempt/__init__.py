"""One attempt at a run: its process, the author's child below it, and what it leaves."""
