"""Telling people outside, put together: the settings name webhooks and addresses; by default nobody is told."""

from __future__ import annotations

from secrets import SystemRandom

from core.adapters.channels.mail import Mail, service_of
from core.adapters.channels.webhook import webhooks
from core.adapters.outbox import FolderOutbox
from core.errors import ConfigurationError
from core.meters import Meters
from core.ports import Channel, Clock
from core.settings import Settings, listed
from core.workflows.notifying import Notifying

__all__ = ["Notifying", "notifying_of"]


def notifying_of(settings: Settings, clock: Clock, meters: Meters) -> Notifying:
    """Return what tells people outside; all processes of a home share its outbox.

    Raises
    ------
    ConfigurationError
        If a webhook, the mail service or an address cannot be used, or one of them is set without the others.
    """
    channels: tuple[Channel, ...] = webhooks(listed(settings.webhook_urls), settings.webhook_secret)
    if settings.smtp_url or settings.email_to:
        channels += _mails(settings)
    return Notifying(FolderOutbox(settings.home / "data" / "outbox"), channels, clock, meters, SystemRandom().random)


def _mails(settings: Settings) -> tuple[Channel, ...]:
    """Return one channel per address: each is tried again by itself."""
    to = tuple(dict.fromkeys(listed(settings.email_to)))
    if not (settings.smtp_url and settings.email_from and to):
        raise ConfigurationError(
            "E-mail needs CLOUDBURST_SMTP_URL, CLOUDBURST_EMAIL_FROM and CLOUDBURST_EMAIL_TO.",
            hint="Set all three, or none of them.",
        )
    service = service_of(settings.smtp_url)
    return tuple(Mail(service, settings.email_from, address) for address in to)
