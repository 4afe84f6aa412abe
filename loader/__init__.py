"""From a git ref, or a folder, to running pools of workers."""
