"""The front for Python: sweeps and runs started from notebooks, scripts and the service, in processes of their own."""

from runyard.front.starting import Started, start_application

__all__ = ["Started", "start_application"]
