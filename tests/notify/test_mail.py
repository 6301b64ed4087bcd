import ssl
from email import message_from_bytes, policy

import pytest

from citepoll.errors import SendError
from citepoll.notify.mail import Server, message, send

SENDER, TO = "citepoll@example.org", ("anna@example.org", "olga@example.org")


def test_a_mail_arrives_as_text_and_html_at_every_address(mail_server, letter):
    server = mail_server()
    assert send(Server("127.0.0.1", server.port, "none"), letter(), SENDER, TO) is None
    (raw,) = server.mails
    found = message_from_bytes(raw, policy=policy.default)
    assert found["Subject"] == "citepoll, Acme: Acme on atlas: up 6 points"
    assert (found["From"], found["To"]) == (SENDER, "anna@example.org, olga@example.org")
    assert "Evidence: citepoll compare one two" in found.get_body(("plain",)).get_content()
    assert "at most 5 of 100 cycles would raise one" in " ".join(found.get_body(("plain",)).get_content().split())
    assert "<h2" in found.get_body(("html",)).get_content()
    assert [line for line in server.said if line.startswith("rcpt")] == [f"rcpt TO:<{address}>" for address in TO]


def test_a_title_cannot_write_headers(letter):
    made = message(letter("x\r\nBcc: eve@example.org\r\n\r\n<script>"), SENDER, TO)
    assert made["Bcc"] is None
    assert "\n" not in made["Subject"]
    assert "<script>" not in made.get_body(("html",)).get_content()


def test_the_same_alerts_have_the_same_id_and_others_another(letter):
    assert message(letter(), SENDER, TO)["Message-ID"] == message(letter("another title"), SENDER, TO)["Message-ID"]
    assert letter().id != letter(number=2).id
    assert message(letter(), SENDER, TO)["Message-ID"].endswith("@example.org>")


def trusting(certificate):
    return ssl.create_default_context(cafile=certificate)


def test_starttls_comes_before_the_password(mail_server, letter, tls, certificate):
    server = mail_server(tls)
    way = Server("127.0.0.1", server.port, "starttls", "anna", "garden fork", trusting(certificate))
    assert send(way, letter(), SENDER, TO) is None
    verbs = [line.split()[0].upper() for line in server.said]
    assert verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert len(server.mails) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(mail_server, letter, tls):
    server = mail_server(tls)
    with pytest.raises(SendError, match=r"certificate of 127\.0\.0\.1 does not hold"):
        send(Server("127.0.0.1", server.port, "starttls", "anna", "garden fork"), letter(), SENDER, TO)
    assert not any("AUTH" in line for line in server.said)


def test_a_server_without_starttls_gets_no_password(mail_server, letter):
    server = mail_server()
    with pytest.raises(SendError, match="does not offer"):
        send(Server("127.0.0.1", server.port, "starttls", "anna", "garden fork"), letter(), SENDER, TO)
    assert not any("AUTH" in line for line in server.said)


def test_no_password_in_the_clear(letter):
    with pytest.raises(SendError, match="in the clear"):
        send(Server("smtp.example.org", 25, "none", "anna", "garden fork"), letter(), SENDER, TO)


@pytest.mark.parametrize(
    ("command", "answer", "words", "again"),
    [
        ("AUTH", "535 garden fork is wrong", "does not take the password of anna", False),
        ("mail", "451 later", "451 later", True),
        ("mail", "550 never", "550 never", False),
        ("rcpt", "550 nobody", "refused every address", False),
        ("rcpt", "450 later", "refused every address", True),
        ("data", "554 spam", "554 spam", False),
    ],
)
def test_a_refusal_says_why_and_whether_to_try_again(mail_server, letter, command, answer, words, again):
    server = mail_server()
    server.refuse[command] = answer
    with pytest.raises(SendError, match=words) as wrong:
        send(Server("127.0.0.1", server.port, "none", "anna", "garden fork"), letter(), SENDER, TO)
    assert wrong.value.again is again
    assert "garden fork" not in str(wrong.value)


def test_one_address_of_two_refused_is_told_and_the_other_served(mail_server, letter):
    server = mail_server()
    server.refuse["rcpt TO:<olga"] = "550 nobody"
    left = send(Server("127.0.0.1", server.port, "none"), letter(), SENDER, TO)
    assert left == "127.0.0.1 refused olga@example.org"
    assert len(server.mails) == 1


def test_a_server_that_is_not_there_may_be_there_later(mail_server, letter):
    server = mail_server()
    server.close()
    with pytest.raises(SendError, match="cannot be reached") as wrong:
        send(Server("127.0.0.1", server.port, "none"), letter(), SENDER, TO)
    assert wrong.value.again
