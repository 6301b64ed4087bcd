"""Mail out: one message to a server by SMTP, over verified TLS."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from citepoll.channels import Security
from citepoll.errors import SendError
from citepoll.report import letters
from citepoll.report.letters import Letter
from citepoll.report.printable import one_line

SECONDS: Final = 20.0
"""For each answer of the server."""
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server. `context` says whom TLS trusts; None is what this machine trusts."""

    host: str
    port: int
    security: Security = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)


def send(server: Server, letter: Letter, sender: str, to: Sequence[str]) -> str | None:
    """Hand the letter over, once. Returns what was left undone: addresses that the server refused, while it took others.

    Raises `SendError` where it took nothing; `again` where the cause may pass. No password crosses a network in the clear.
    """
    if server.password and server.security == "none" and server.host not in LOOPBACK:
        raise SendError(
            f"The password would cross the network to {server.host} in the clear.",
            'Set security = "starttls" or "tls" below [alerts.smtp].',
        )
    try:
        with _connected(server) as link:
            if server.user is not None:
                link.login(server.user, server.password or "")
            refused = link.send_message(message(letter, sender, to), sender, list(to))
    except ssl.SSLCertVerificationError as wrong:
        raise SendError(f"The certificate of {server.host} does not hold: {wrong.verify_message}.") from None
    except (smtplib.SMTPException, OSError) as wrong:
        raise _error(server, wrong) from None
    return f"{server.host} refused {', '.join(sorted(refused))}" if refused else None


def _connected(server: Server) -> smtplib.SMTP:
    context = server.context or ssl.create_default_context()
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
    link = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    if server.security == "starttls":
        try:
            link.starttls(context=context)
        except BaseException:
            link.close()
            raise
    return link


def message(letter: Letter, sender: str, to: Sequence[str]) -> EmailMessage:
    """The letter as plain text and HTML. Names and questions stand on one line in it, so that none becomes a header."""
    made = EmailMessage()
    made["Subject"] = letter.subject
    made["From"] = sender
    made["To"] = ", ".join(to)
    made["Date"] = format_datetime(letter.at)
    made["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letters.text(letter))
    made.add_alternative(letters.html(letter), subtype="html")
    return made


def _error(server: Server, wrong: Exception) -> SendError:
    """What went wrong, in words; of what the server said, one short line."""
    place = f"{server.host}:{server.port}"
    if isinstance(wrong, smtplib.SMTPAuthenticationError):
        return SendError(f"{place} does not take the password of {server.user}.", "Set it again; see docs/alerts.md.")
    if isinstance(wrong, smtplib.SMTPNotSupportedError):
        return SendError(f"{place} does not offer what is asked of it: {one_line(str(wrong), 120)}",
                         'Check `security` below [alerts.smtp]: "starttls", "tls" or "none".')  # fmt: skip
    if isinstance(wrong, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in wrong.recipients.values()]
        return SendError(f"{place} refused every address.", again=all(400 <= code < 500 for code in codes))
    if isinstance(wrong, smtplib.SMTPResponseException):
        said = wrong.smtp_error.decode("utf-8", "replace") if isinstance(wrong.smtp_error, bytes) else wrong.smtp_error
        return SendError(f"{place} refused the mail: {wrong.smtp_code} {one_line(said, 120)}",
                         again=400 <= wrong.smtp_code < 500)  # fmt: skip
    if isinstance(wrong, ssl.SSLError):
        return SendError(f"No TLS with {place}.", "Check `port` and `security` below [alerts.smtp].")
    return SendError(f"{place} cannot be reached: {type(wrong).__name__}.", "Check host and port.", again=True)
