"""``python -m runyard``: the ``runyard`` command."""

from runyard.cli import main

main(prog_name="python -m runyard")
