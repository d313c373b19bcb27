"""Speed against a reference measured in the same run: `python -m benchmarks`."""

from benchmarks.harness import Result, Scale, median_seconds, seconds

__all__ = ["Result", "Scale", "median_seconds", "seconds"]
