"""Shows sweeps and jobs to people in a browser, and takes their forms: HTML made by the server."""

from runyard.serve.pages.router import make_pages

__all__ = ["make_pages"]
