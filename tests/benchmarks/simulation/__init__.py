"""A deployment under load, in simulated time. What sessions do on GitHub is the product's own code."""

import sys
from pathlib import Path

# So that `python -m tests.benchmarks.simulate` finds the product without being told where it is.
sys.path.extend(str(Path(__file__).parents[3] / folder) for folder in ("functions", "container"))
