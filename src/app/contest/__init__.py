"""A contest in one command. A front only: `launch` starts ``python -m app``, which runs and records."""

from app.contest.launch import Ended, Request, overrides_of, start

__all__ = ["Ended", "Request", "overrides_of", "start"]
