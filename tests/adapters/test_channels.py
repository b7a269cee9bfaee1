"""Webhook and e-mail against receivers that refuse, hang, drip, redirect and break off."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import shutil
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from core.adapters.channels.mail import Mail, Service, checked_address, service_of
from core.adapters.channels.webhook import SIGNATURE, Webhook, signature, webhooks
from core.domain.notices import NoticeKind, notice_of
from core.errors import ConfigurationError, DeliveryFailed
from tests.adapters.outside_servers import Post, closed_port, mail_service, notice, seconds, webhook

SECRET = "shared with the receiver"  # noqa: S105 - it opens nothing


def test_a_webhook_gets_the_whole_notice_once_and_signed() -> None:
    with webhook(204) as hook:
        Webhook(hook.url, SECRET).send(notice())
    ((headers, body),) = hook.got
    said = json.loads(body)
    assert said.pop("official") is False
    assert notice_of(said) == notice()
    assert headers["content-type"] == "application/json"
    right = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE.lower()] == f"sha256={right}"


def test_the_signature_is_that_of_rfc_4231() -> None:
    """Test cases 1, 2 and 6 (key longer than a block) of RFC 4231, section 4."""
    golden = {
        ("\x0b" * 20, b"Hi There"): "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ("Jefe", b"what do ya want for nothing?"): "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    }
    for (key, data), digest in golden.items():
        assert signature(key, data) == f"sha256={digest}"


def test_without_a_secret_nothing_is_signed_and_the_same_notice_has_the_same_body() -> None:
    with webhook(200) as hook:
        for _ in range(2):
            Webhook(hook.url).send(notice())
    (first, one), (_, two) = hook.got
    assert one == two
    assert SIGNATURE.lower() not in first


@pytest.mark.parametrize(
    ("answer", "words", "final"),
    [
        (500, "It answered 500.", False),
        (404, "It answered 404.", False),
        (410, "It answered 410.", True),
        ("break", "broke off", False),
    ],
)
def test_a_webhook_that_does_not_take_it_says_why(answer: int | str, words: str, final: bool) -> None:
    with webhook(answer) as hook, pytest.raises(DeliveryFailed, match=words) as failed:
        Webhook(hook.url).send(notice())
    assert failed.value.final is final
    assert "/hook" not in str(failed.value)  # the path is the secret of many webhooks


def test_a_redirect_is_not_followed() -> None:
    with webhook(200) as there, webhook(307, Location=there.url) as hook:
        with pytest.raises(DeliveryFailed, match="redirect"):
            Webhook(hook.url).send(notice())
        assert there.got == []


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_neither_silence_nor_slow_bytes_hold_it(answer: str) -> None:
    with webhook(answer) as hook:
        channel = Webhook(hook.url, deadline_s=0.3)

        def send() -> None:
            with pytest.raises(DeliveryFailed, match=r"within 0\.3 s"):
                channel.send(notice())

        assert seconds(send) < 2.0


def test_a_wait_that_is_asked_for_is_told() -> None:
    for text, wait_s in (("120", 120.0), ("soon", 0.0), ("9" * 9, 0.0)):
        with webhook(503, Retry_After=text) as hook, pytest.raises(DeliveryFailed) as failed:
            Webhook(hook.url).send(notice())
        assert failed.value.retry_after_s == wait_s


def test_nobody_there_is_a_failure_in_words() -> None:
    with pytest.raises(DeliveryFailed, match="cannot be reached"):
        Webhook(f"http://127.0.0.1:{closed_port()}/x").send(notice())


@pytest.mark.parametrize(
    "url",
    ["http://met.example/hook", "ftp://met.example", "https:///x", "hook", "https://met.example:99999/", "https://a b/",
     "https://met.example/a#b", "https://met.example/\r\nX: y", "http://127.0.0.1.met.example/", "https://[::1"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Webhook(url)
    assert url not in str(refused.value)


def test_two_paths_of_a_host_are_two_channels_and_no_name_holds_a_secret() -> None:
    urls = ("https://met.example/s3cret-one", "https://met.example/s3cret-two", "https://met.example/s3cret-one")
    names = [channel.name for channel in webhooks(urls, "")]
    assert len(names) == len(set(names)) == 2
    assert not any("s3cret" in name for name in names)
    assert all(name.startswith("webhook met.example ") for name in names)


def mail(post: Post, user: str = "", tls: ssl.SSLContext | None = None, deadline_s: float = 5.0) -> Mail:
    service = Service("127.0.0.1", post.port, post.at_once, user, "pass word" if user else "")
    return Mail(service, "watch@met.example", "anna@met.example", tls=tls, deadline_s=deadline_s)


def test_a_mail_is_one_text_with_a_subject_in_utf_8() -> None:
    with mail_service(Post()) as post:
        mail(post).send(notice())
        mail(post).send(notice())
    first, second = (email.message_from_bytes(m, policy=email.policy.default) for m in post.messages)
    assert first["Subject"] == "Red: Chamoli – भारी वर्षा"
    assert first["To"] == "anna@met.example"
    assert first["From"].addresses[0].addr_spec == "watch@met.example"
    assert first["Date"].datetime == notice().at
    assert first["Message-ID"] == second["Message-ID"]  # who gets it twice can tell
    text = first.get_content()
    for part in ("40 % in Chamoli.", "Model: m1", "Places: Chamoli, Rudraprayag", "n-1", "no official warning"):
        assert part in text
    assert post.messages[0].isascii()  # no service needs to know more than RFC 5321


def test_simulated_weather_and_a_trial_say_so_in_the_subject() -> None:
    with mail_service(Post()) as post:
        mail(post).send(notice(simulated=True, kind=NoticeKind.TRIAL))
    (message,) = (email.message_from_bytes(m, policy=email.policy.default) for m in post.messages)
    assert message["Subject"].startswith("Trial, nothing has happened: Simulated weather: Red")


@pytest.mark.parametrize("brk", ["\n", "\r\n", "\r", "\x0b", "\u2028", "\x85", "\x00"])
def test_no_notice_can_write_a_header_or_a_command(brk: str) -> None:
    text = f"x{brk}Bcc: all@met.example{brk}.{brk}RCPT TO:<all@met.example>"
    with mail_service(Post()) as post:
        mail(post).send(notice(id=text, headline=text, text=text, source_text=text, places=(text,)))
    (data,) = post.messages
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert sorted(map(str.lower, message.keys())) == [
        "auto-submitted", "content-transfer-encoding", "content-type", "date", "from", "message-id", "mime-version",
        "subject", "to",
    ]  # fmt: skip
    assert "Bcc: all@met.example" in message["Subject"]
    assert [line for line in post.said if "all@met" in line] == []


def test_text_that_is_no_unicode_gets_through() -> None:
    with mail_service(Post()) as post, webhook(200) as hook:
        mail(post).send(notice(headline="a\ud800", text="b\udfff"))
        Webhook(hook.url).send(notice(headline="a\ud800", text="b\udfff"))
    assert len(post.messages) == len(hook.got) == 1


@pytest.mark.parametrize(
    ("answers", "words", "final"),
    [
        ({"RCPT": "550 no such box"}, "refuses the recipient: 550 no such box", True),
        ({"RCPT": "450 later"}, "refuses the recipient: 450 later", False),
        ({"MAIL": "550 not you"}, "refuses: 550 not you", False),
        ({"message": "554 spam"}, "refuses: 554 spam", True),
        ({"message": "451 disk"}, "refuses: 451 disk", False),
        ({"banner": "421 busy"}, "refuses: 421 busy", False),
        ({"MAIL": "no number"}, "mail service", False),
    ],
)
def test_a_mail_service_that_does_not_take_it_says_why(answers: dict[str, str], words: str, final: bool) -> None:
    with mail_service(Post(answers)) as post, pytest.raises(DeliveryFailed, match=words) as failed:
        mail(post).send(notice())
    assert failed.value.final is final


def test_what_was_taken_is_sent_even_if_the_service_then_hangs_up() -> None:
    with mail_service(Post(on={"QUIT": lambda: True})) as post:
        mail(post).send(notice())
    assert len(post.messages) == 1


@pytest.mark.parametrize("verb", ["banner", "EHLO", "RCPT"])
def test_a_mail_service_that_hangs_is_left(verb: str) -> None:
    with mail_service(Post()) as post:
        post.on[verb] = lambda: post.over.wait(20)

        def send() -> None:
            with pytest.raises(DeliveryFailed, match=r"in time|within"):
                mail(post, deadline_s=0.3).send(notice())

        assert seconds(send) < 2.0


def test_a_mail_service_that_breaks_off_or_is_not_there_is_a_failure() -> None:
    with mail_service(Post(on={"MAIL": lambda: True})) as post, pytest.raises(DeliveryFailed, match="broke off"):
        mail(post).send(notice())
    with pytest.raises(DeliveryFailed, match="cannot be reached"):
        mail(Post(port=closed_port())).send(notice())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate of 127.0.0.1 that nobody vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
         str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    made.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return made


@pytest.mark.parametrize("at_once", [True, False])
def test_user_and_password_go_over_tls_alone(certificate: Path, at_once: bool) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=certificate)
    with mail_service(Post(tls=server, at_once=at_once, offers=("AUTH PLAIN",))) as post:
        mail(post, "watch", trusting).send(notice())
        assert len(post.messages) == 1
        assert [line.split()[0] for line in post.said if line.split()[0] in ("STARTTLS", "AUTH")] == (
            ["AUTH"] if at_once else ["STARTTLS", "AUTH"]
        )
        with pytest.raises(DeliveryFailed, match=r"certificate .* not trusted"):
            mail(post, "watch", ssl.create_default_context()).send(notice())


def test_a_service_elsewhere_without_tls_gets_neither_password_nor_message(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_service(Post(offers=("AUTH PLAIN",))) as post:
        monkeypatch.setattr("core.adapters.channels.mail.loopback", lambda _host: False)
        with pytest.raises(DeliveryFailed, match="no TLS"):
            mail(post, "watch").send(notice())
    assert post.messages == []
    assert not any(line.startswith("AUTH") for line in post.said)


def test_a_wrong_password_is_said_without_it() -> None:
    refusing = Post({"AUTH": "535 no: pass word"}, offers=("AUTH PLAIN",))
    with mail_service(refusing) as post, pytest.raises(DeliveryFailed, match="refuses user and password") as failed:
        mail(post, "watch").send(notice())
    assert "pass word" not in str(failed.value)


def test_the_service_of_a_url() -> None:
    assert service_of("smtp://a%40b:p%3Aw@mail.example") == Service("mail.example", 587, False, "a@b", "p:w")
    assert service_of("smtps://mail.example:4650/") == Service("mail.example", 4650, True)
    assert "p:w" not in repr(service_of("smtp://a:p%3Aw@mail.example"))


@pytest.mark.parametrize(
    "url",
    ["mail.example", "http://mail.example", "smtp://", "smtp://h:port", "smtp://h/x", "smtp://:p@h", "smtp://h?a"],
)
def test_a_service_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CLOUDBURST_SMTP_URL"):
        service_of(url)


@pytest.mark.parametrize("text", ["", "anna", "a b@met.example", "a@met.example\nBcc: x", "<a@b>", "a@b,c@d", "ä@b"])
def test_an_address_that_is_none_is_no_recipient(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no e-mail address"):
        checked_address(text, "CLOUDBURST_EMAIL_TO")


def test_a_notice_survives_its_plain_values() -> None:
    one = notice()
    assert notice_of(json.loads(json.dumps(one.as_dict()))) == one
    for wrong in ({"at": "2026-07-29T18:20:00"}, {"kind": "rumour"}, {"headline": 3}, {"level": "mauve"}):
        with pytest.raises((ValueError, TypeError)):
            notice_of({**one.as_dict(), **wrong})
    assert notice_of({**one.as_dict(), "model_version": None}) == replace(one, model_version=None)
