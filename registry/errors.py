"""What goes wrong with the registry."""

from __future__ import annotations

from core.errors import PawlError


class RegistryUnavailable(PawlError):
    """The database can't be reached, or refuses; it is tried again."""


class RegistryBegunAnew(RegistryUnavailable):
    """The database's file was damaged; it has been set aside, and another try finds a new one."""


class SchemaTooNew(RegistryUnavailable):
    """A newer Pawl made the database's schema, and this one can't keep to it."""
