"""python -m core.commands.work: a training process. Only the program begins one, and tells it what to do."""

import sys

from core.bootstrap.work import work

if __name__ == "__main__":
    sys.exit(work(sys.stdin))
