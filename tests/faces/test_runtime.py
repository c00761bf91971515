"""MediaPipe starts without matplotlib and draws with it all the same."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import sys
from heygem.faces.runtime import quiet
with quiet():
    from mediapipe.python.solutions import drawing_utils
assert "matplotlib" not in sys.modules
import matplotlib
matplotlib.use("agg")
assert drawing_utils.plt.figure().get_axes() == []
import matplotlib.pyplot
assert matplotlib.pyplot.figure is drawing_utils.plt.figure
"""


def test_matplotlib_comes_when_something_is_drawn() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
