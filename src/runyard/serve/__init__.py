"""The service: an HTTP API and pages over sweeps, and starting, cancelling and resuming them. Needs the extra serve.

Sweeps run in processes of their own: a restart of the server loses none, and cancels none.
"""

from runyard.serve.application import create_app
from runyard.serve.fields import Fields, read_fields
from runyard.serve.running import run_server
from runyard.serve.settings import ServeSettings
from runyard.serve.tokens import new_token, read_token

__all__ = ["Fields", "ServeSettings", "create_app", "new_token", "read_fields", "read_token", "run_server"]
