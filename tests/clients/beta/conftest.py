"""The same relay and the same speech as for the present SDK."""

import pathlib
import runpy

globals().update(runpy.run_path(str(pathlib.Path(__file__).parents[1] / "python" / "conftest.py")))
