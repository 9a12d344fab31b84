"""The one exception a user is meant to read."""


class FacealignError(Exception):
    """Bad input or a bad setting; the message names the culprit and what was expected of it."""
