"""Groups of commands, one file a group, each with ``register(commands)``; ``heygem.cli`` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heygem.settings import Settings


def quiet_settings() -> Settings:
    """The settings, for a command that says all on the terminal: from now on nothing of ours goes to the log."""
    from loguru import logger

    from heygem import settings

    logger.disable("heygem")
    return settings.load()
