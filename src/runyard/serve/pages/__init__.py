"""Shows sweeps and jobs to people in a browser: HTML made by the server. Reads records; changes nothing."""

from runyard.serve.pages.router import make_router

__all__ = ["make_router"]
