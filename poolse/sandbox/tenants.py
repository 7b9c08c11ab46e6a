"""The handle of one customer's part of the sandbox."""

from __future__ import annotations

from poolse.sandbox.fault_control import Run

__all__ = ["Tenant"]


class Tenant:
    """A tenant: an API key and users of its own, who know nothing of other tenants."""

    def __init__(self, run: Run, tenant_id: str | None = None) -> None:
        self._run = run
        self._id = tenant_id

    @property
    def api_key(self) -> str:
        """The API key, for the two routes that take one."""
        return self._run(lambda backend: backend.api_key(self._id))

    def token(self, external_id: str, *, lifetime: float = 3600.0) -> str:
        """A token of a user, who is made when missing.

        Args:
            external_id: The user, by your own id.
            lifetime: Seconds until it ends, rounded up to a whole second; a token with a
                negative one has ended already.
        """
        return self._run(lambda backend: backend.token(external_id, lifetime, self._id))

    def user_id(self, external_id: str) -> str:
        """The id of a user, who is made when missing."""
        return self._run(lambda backend: backend.user_id(external_id, self._id))
