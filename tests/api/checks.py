"""Checks of schemathesis that `check_api.py` adds to its own."""

import os

import schemathesis


@schemathesis.check
def a_member_changes_nothing(ctx, response, case):
    """A role that may only read gets no success from a route that changes something."""
    if os.environ["API_ROLE"] == "Member" and case.method.upper() != "GET":
        assert response.status_code >= 400, f"a Member got {response.status_code}"
