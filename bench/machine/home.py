"""Where measurements keep what they make: outside git, beside the code."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".bench"
"""Models, the peers' environments, logs, results. May be removed at any time."""
