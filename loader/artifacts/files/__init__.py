"""Where artifacts and records lie: a folder of this machine, or an object store."""
