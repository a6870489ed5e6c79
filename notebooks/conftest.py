"""The notebooks run at a small size in the test suite, unless asked for in full."""

import os

os.environ.setdefault("FADELINE_NOTEBOOKS", "small")
