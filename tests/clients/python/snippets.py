"""The programs of docs/clients.md: the tests run what users paste."""

import os
import pathlib
import re
import runpy
import subprocess
import sys

DOCS = pathlib.Path(__file__).parents[3] / "docs" / "clients.md"
FENCE = re.compile(r"^```python (?P<name>\w+\.py)\n(?P<text>.*?)^```$", re.M | re.S)
PROGRAMS = {match["name"]: match["text"] for match in FENCE.finditer(DOCS.read_text())}


def write(name: str, folder: pathlib.Path) -> pathlib.Path:
    file = folder / name
    file.write_text(PROGRAMS[name])
    return file


def load(name: str, folder: pathlib.Path) -> dict:
    """What the program defines, without running it."""
    return runpy.run_path(str(write(name, folder)))


def run(name: str, folder: pathlib.Path, *arguments: str, url: str, seconds: float = 90) -> str:
    """Runs the program to its end and returns what it printed."""
    command = [sys.executable, str(write(name, folder)), *arguments]
    done = subprocess.run(
        command, env=os.environ | {"RELAY_URL": url}, cwd=folder, timeout=seconds, text=True, capture_output=True
    )
    assert done.returncode == 0, f"{name}: {done.stdout}\n{done.stderr}"
    return done.stdout
