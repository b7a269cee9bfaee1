"""E-mail by SMTP: every notice is one message to one address, over TLS unless the service is this machine."""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from core.adapters.channels.webhook import loopback
from core.adapters.log_secrets import without_secrets
from core.domain.notices import Notice, NoticeKind
from core.errors import ConfigurationError, DeliveryFailed
from core.words import DEFAULT_LANGUAGE, language

#: Seconds for the whole conversation, and between two bytes of it.
DEADLINE_S, READ_S = 8.0, 5.0
PORTS = {"smtp": 587, "smtps": 465}
#: How a service greets that takes messages.
READY = 220
#: What a service answers that refuses for good (RFC 5321, section 4.2.1).
PERMANENT = range(500, 600)
#: Characters of a subject, and of what a service says.
MOST_SUBJECT, MOST_REASON = 200, 120
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True)
class Service:
    """A service that takes e-mail: TLS from the first byte (smtps), else by STARTTLS."""

    host: str
    port: int
    tls_at_once: bool
    user: str = ""
    password: str = field(default="", repr=False)


def service_of(url: str) -> Service:
    """Return the service of smtp://user:password@host:port or smtps://..., whose names are quoted as in any URL.

    Raises
    ------
    ConfigurationError
        If it is no such address; the message repeats none of it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    known = parts.scheme in PORTS and parts.hostname and url.isprintable()
    if not known or parts.path not in ("", "/") or parts.query or parts.fragment or (password and not user):
        raise ConfigurationError(
            "CLOUDBURST_SMTP_URL is no address that can be used.",
            hint="Write it like smtps://user:password@mail.example:465; quote signs such as @ in names as %40.",
        )
    return Service(str(parts.hostname), port or PORTS[parts.scheme], parts.scheme == "smtps", user, password)


def checked_address(text: str, setting: str) -> str:
    """Return an address of e-mail.

    Raises
    ------
    ConfigurationError
        If it is none.
    """
    if not _ADDRESS.fullmatch(text):
        raise ConfigurationError(
            f"{setting} holds {text!r}, which is no e-mail address.", hint="Write it like watch@met.example."
        )
    return text


class Mail:
    """Port `Channel`: sends to one address, so that a try after a failure reaches nobody twice.

    Parameters
    ----------
    service, sender, to
        Through whom, from whom and to whom.
    tls
        None: the system's certificates, and no STARTTLS to this machine, whose certificate nobody vouches for.
    language_code
        Language of the words around the notice.
    """

    def __init__(
        self,
        service: Service,
        sender: str,
        to: str,
        *,
        tls: ssl.SSLContext | None = None,
        deadline_s: float = DEADLINE_S,
        language_code: str = DEFAULT_LANGUAGE,
    ) -> None:
        self._service, self._deadline_s, self._say = service, deadline_s, language(language_code).say
        self._sender = checked_address(sender, "CLOUDBURST_EMAIL_FROM")
        self._to = checked_address(to, "CLOUDBURST_EMAIL_TO")
        self._starttls = not service.tls_at_once and (tls is not None or not loopback(service.host))
        self._tls = tls

    @property
    def name(self) -> str:
        """Whom it reaches."""
        return f"e-mail {self._to}"

    def send(self, notice: Notice) -> None:
        """Send one notice.

        Raises
        ------
        DeliveryFailed
            If the service does not take it, or not in time.
        """
        message, failed = self.message(notice), list[BaseException]()
        tls = self._tls or ssl.create_default_context()
        name, patience_s = _own_name(), min(READ_S, self._deadline_s)
        session = (
            smtplib.SMTP_SSL(local_hostname=name, timeout=patience_s, context=tls)
            if self._service.tls_at_once
            else smtplib.SMTP(local_hostname=name, timeout=patience_s)
        )

        def run() -> None:
            try:
                self._talk(session, message, tls)
            except BaseException as error:  # whatever it is, the caller's thread must hear of it
                failed.append(error)

        thread = threading.Thread(target=run, name="e-mail", daemon=True)
        thread.start()
        thread.join(self._deadline_s)
        if thread.is_alive():
            _hang_up(session)
            raise DeliveryFailed(f"The mail service did not take it within {self._deadline_s:g} s.")
        if failed:
            raise _failure(failed[0]) from None

    def message(self, notice: Notice) -> EmailMessage:
        """Return the message: a text in UTF-8 whose headers hold one line each, whatever the notice says."""
        domain = self._sender.partition("@")[2]
        message = EmailMessage(policy=SMTP)
        message["Subject"] = _one_line(self._subject(notice))[:MOST_SUBJECT]
        message["From"] = Address("Cloudburst Watch", addr_spec=self._sender)
        message["To"] = self._to
        message["Date"] = format_datetime(notice.at)
        message["Message-ID"] = f"<{hashlib.sha256(_encoded(notice.id)).hexdigest()[:32]}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_encoded(self._body(notice)).decode(), charset="utf-8", cte="quoted-printable")
        return message

    def _subject(self, notice: Notice) -> str:
        marks = []
        if notice.kind is NoticeKind.TRIAL:
            marks.append(self._say("Trial, nothing has happened"))
        if notice.simulated:
            marks.append(self._say("Simulated weather"))
        return ": ".join([*marks, notice.headline])

    def _body(self, notice: Notice) -> str:
        facts = [
            self._say("Said at {moment} UTC", moment=f"{notice.at:%Y-%m-%d %H:%M}"),
            self._say("Weather: {source}", source=notice.source_text),
            self._say("Model: {model}", model=notice.model_version or self._say("none")),
            self._say("Places: {places}", places=", ".join(notice.places)) if notice.places else "",
            self._say("Number of this notice: {id}. It is the same if it comes twice.", id=notice.id),
            self._say("This is no official warning."),
        ]
        return "\n\n".join([self._subject(notice), notice.text, "\n".join(filter(None, facts))]) + "\n"

    def _talk(self, session: smtplib.SMTP, message: EmailMessage, tls: ssl.SSLContext) -> None:
        try:
            vars(session)["_host"] = self._service.host  # connect() forgets it, and TLS must know whom it expects
            code, text = session.connect(self._service.host, self._service.port)
            if code != READY:
                raise smtplib.SMTPConnectError(code, text)
            if self._starttls:
                session.starttls(context=tls)
            if self._service.user:
                session.login(self._service.user, self._service.password)
            session.send_message(message, self._sender, [self._to])
            with suppress(smtplib.SMTPException, OSError):  # it has taken the message
                session.quit()
        finally:
            session.close()


#: Why nothing was sent, the first kind that fits; an OSError is what is left.
REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (smtplib.SMTPAuthenticationError, "The mail service refuses user and password."),
    (smtplib.SMTPNotSupportedError, "The mail service offers no TLS, or no way to log in."),
    (smtplib.SMTPServerDisconnected, "The mail service broke off, or did not answer in time."),
    (ssl.SSLCertVerificationError, "The certificate of the mail service is not trusted."),
    (TimeoutError, "The mail service did not answer in time."),
    (OSError, "The mail service cannot be reached."),
)


def _failure(error: BaseException) -> DeliveryFailed:
    """Return why it was not sent, in words; a recipient or a message that is refused for good stays refused."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        said = f"The mail service refuses the recipient: {_said(code, text)}."
        return DeliveryFailed(said, final=code in PERMANENT)
    if isinstance(error, smtplib.SMTPResponseException) and not isinstance(error, smtplib.SMTPAuthenticationError):
        final = isinstance(error, smtplib.SMTPDataError) and error.smtp_code in PERMANENT
        return DeliveryFailed(f"The mail service refuses: {_said(error.smtp_code, error.smtp_error)}.", final=final)
    unknown = f"The mail service broke ({type(error).__name__})."
    return DeliveryFailed(next((text for kind, text in REASONS if isinstance(error, kind)), unknown))


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    return f"{code} {without_secrets(_one_line(words))[:MOST_REASON]}".strip()


def _one_line(text: str) -> str:
    """Return a text without line breaks and other signs that are none: it may go into a header."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _own_name() -> str:
    """Return how this machine names itself, without asking the network for it."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def _hang_up(session: smtplib.SMTP) -> None:
    """End a conversation from outside; to close it here would wait for whoever reads from it."""
    sock = getattr(session, "sock", None)
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
