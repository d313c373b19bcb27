"""Run benchmarks/bench_*.py on a database of their own and print a JSON line for each result.

A benchmark is a module with `run(scale: Scale) -> Iterable[Result]`. The exit code is 1 when one is below its target.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import benchmarks
from benchmarks.harness import Scale

PREFIX = "bench_"


def main() -> int:
    names = [
        module.name.removeprefix(PREFIX)
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name.startswith(PREFIX)
    ]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all by default"
    )
    parser.add_argument("--scale", type=Scale, choices=list(Scale), default=Scale.SMALL)
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(names)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    with own_database():
        return run(arguments.names or names, arguments.scale)


def run(names: list[str], scale: Scale) -> int:
    """Print each result; return the exit code."""
    below = 0
    for name in names:
        module = importlib.import_module(f"benchmarks.{PREFIX}{name}")
        for result in module.run(scale):
            print(json.dumps(result.as_dict()), flush=True)
            below += not result.ok
    return 1 if below else 0


@contextmanager
def own_database() -> Iterator[None]:
    """Start services in a folder of their own, with a migrated database that is dropped at the end."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
    root = Path(__file__).resolve().parent.parent
    state = Path(os.environ.get("STATE_DIR") or root / "var").resolve() / "bench"
    os.environ["STATE_DIR"] = str(state)
    from crm import embedded

    embedded.provide()
    import django
    from django.test.utils import setup_databases, teardown_databases

    django.setup()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
