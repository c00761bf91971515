"""The small parent of measured processes: ``python -m heygem.bench COMMAND ...`` runs it and reports.

The last line on standard output is [seconds, processor seconds, peak resident memory as the system counts it].
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

if __name__ == "__main__":
    begin = time.perf_counter()
    code = subprocess.call(sys.argv[1:])
    seconds, used = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss]))
    sys.exit(code)
