"""``python -m heygem`` is the command line."""

import sys

from heygem.cli import main

sys.exit(main())
