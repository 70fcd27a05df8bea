"""The application that runs the five workloads: ``python -m app -m ...``. A user of the launcher like any other."""
