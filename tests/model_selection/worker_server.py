"""Start workers of a search quickly: as children of a process that has imported everything.

Each line of the standard input has the arguments of ``glassclf`` and the file for its output as
JSON; a line with the number of the process answers. The exit code of a child that is not killed is
left in a file beside the output. At the end of the input all children that are left are killed.
"""

import contextlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path

import optuna.storages.journal  # noqa: F401
import sqlalchemy.orm  # noqa: F401
from sklearn.linear_model import LogisticRegression  # noqa: F401

from glassclf.cli import main
from glassclf.model_selection import worker  # noqa: F401


def run(arguments, output):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    Path(f"{output}.code").write_text(str(code))
    os._exit(0)


def serve():
    # Dead children vanish at once.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    children = []
    print("ready", flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        child = os.fork()
        if child == 0:
            run(task["arguments"], task["output"])
        children.append(child)
        print(child, flush=True)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    serve()
