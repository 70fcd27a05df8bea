"""``python -m runyard.orchestrate``: the process in which a sweep is taken up again; ``runyard resume`` starts it."""

import sys

from runyard.orchestrate.resuming import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
