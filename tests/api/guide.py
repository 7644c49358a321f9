"""Runs the commands of a page as its reader would, in order and in one shell, and holds what they print against the page.

Blocks marked `sh` are run. A block marked `text` or `json` right behind one is what it prints; `…` there stands for anything.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Longest that all of it may take, in seconds; one command speaks at the pace of speech.
PATIENCE = 180


def blocks(page):
    """Each command with what it prints, or nothing if the page does not show it."""
    found = [(match[1], match[2]) for match in BLOCK.finditer(page)]
    for (kind, code), (shown, printed) in zip(found, [*found[1:], ("", "")]):
        if kind == "sh":
            yield code, printed if shown in ("text", "json") else None


def fits(shown, printed):
    pattern = ".*?".join(re.escape(part) for part in shown.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def main(path):
    commands = list(blocks(Path(path).read_text(encoding="utf-8")))
    assert len(commands) > 5, "the page has hardly any commands"
    with tempfile.TemporaryDirectory() as work:
        # Variables and functions go from one block to the next; what each prints goes to a file of its own.
        script = "set -eu\n" + "".join(
            f"{{\n{code}\n}} >'{work}/{number}.out'\n" for number, (code, _) in enumerate(commands)
        )
        environment = {**os.environ, "RECORDINGS": str(Path("samples").resolve())}
        ran = subprocess.run(
            ["bash", "-c", script], cwd=work, env=environment, stderr=subprocess.PIPE, text=True, timeout=PATIENCE
        )
        for number, (code, shown) in enumerate(commands):
            out = Path(work, f"{number}.out")
            printed = out.read_text(encoding="utf-8") if out.exists() else None
            if printed is None or (ran.returncode and not Path(work, f"{number + 1}.out").exists()):
                sys.exit(f"guide: this fails:\n{code}\n{printed or ''}\n{ran.stderr}")
            if shown is not None and not fits(shown, printed):
                sys.exit(f"guide: this\n\n{code}\nprints\n\n{printed}\nand not\n\n{shown}")
        if ran.returncode:
            sys.exit(f"guide: the last command fails\n{ran.stderr}")
    print(f"{path}: {len(commands)} commands do what the page says")


main(*sys.argv[1:])
