"""No configuration of the user in the repositories that the tests make."""

from ..git_repository import plain_git  # noqa: F401
