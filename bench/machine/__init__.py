"""The machine that is measured on: its cores, its processes, its interruptions, its disk."""
