"""What an outbound call says when it fails: that nothing can have happened, or that it is not known."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
import traceback

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common import http
from common.http import HttpClient, NotSent, OutcomeUnknown
from tests.common.scripted import Server, Talk, polite, serving

SECRET = b"token=s3cr3t-t0ken"
PATH = "/path?key=hidden"
SHORT = 0.4  # seconds, of calls that are to run out of time
SOON = 8.0  # seconds: far more than SHORT, far less than what the server would go on for


@pytest.fixture
def client() -> HttpClient:
    return HttpClient(private_hosts={"127.0.0.1"})


def post(client: HttpClient, url: str, *, timeout: float = 20.0, limit: int = 1_000_000):
    return client.request("POST", url + PATH, body=SECRET, timeout=timeout, limit=limit)


def failing(kind: type[Exception], client: HttpClient, url: str, *, timeout: float = 20.0) -> str:
    """The text of the failure, which must be of this kind and hold nothing of what was sent."""
    with pytest.raises(kind) as caught:
        post(client, url, timeout=timeout)
    shown = "".join(traceback.format_exception(caught.value))
    assert "s3cr3t" not in shown
    assert "hidden" not in shown
    return str(caught.value)


# --- nothing has left --------------------------------------------------------------------------------


def test_nobody_listens_there(client):
    with serving(polite) as server:
        pass
    assert failing(NotSent, client, server.url) == "127.0.0.1: Connection refused"


def test_the_name_does_not_exist(client, monkeypatch):
    def getaddrinfo(*_arguments, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert failing(NotSent, client, "https://moodle.example") == "moodle.example: Name or service not known"


def test_a_slow_resolver_meets_the_deadline(client, monkeypatch):
    end = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: end.wait(30) and [])
    started = time.monotonic()
    try:
        text = failing(NotSent, client, "https://moodle.example", timeout=SHORT)
    finally:
        end.set()
    assert text == "moodle.example: no answer within 0.4 s"
    assert time.monotonic() - started < SOON


def test_no_connection_within_the_deadline(client, monkeypatch):
    waited: list[float] = []

    def connect(sock, _address):
        waited.append(sock.gettimeout())
        raise TimeoutError("timed out")

    monkeypatch.setattr(http._PlainSocket, "connect", connect)
    assert failing(NotSent, client, "http://127.0.0.1:1", timeout=7) == "127.0.0.1: no answer within 7 s"
    assert len(waited) == 1
    assert 6 < waited[0] <= 7


def test_a_deadline_that_has_passed_sends_nothing(client):
    with serving(polite) as server:
        assert failing(NotSent, client, server.url, timeout=0) == "127.0.0.1: no answer within 0 s"
    assert server.requests == []


def test_a_forbidden_header_sends_nothing(client):
    with serving(polite) as server, pytest.raises(NotSent):
        client.request("POST", server.url, timeout=20, headers={"X-One": "1\r\nX-Two: 2"})
    assert server.requests == []


# --- TLS ---------------------------------------------------------------------------------------------


def certificate(tmp_path, address: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server needs that has a certificate of its own for this address, and a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "both.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    trusting = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
    return server, trusting


def test_a_verified_server_is_spoken_to_and_its_connection_kept(tmp_path):
    tls, trusting = certificate(tmp_path, "127.0.0.1")
    client = HttpClient(private_hosts={"127.0.0.1"}, tls=trusting)
    with serving(polite, tls=tls) as server:
        assert [post(client, server.url).body for _ in range(3)] == [b"ok"] * 3
    assert (server.connections, len(server.requests)) == (1, 3)


def test_a_certificate_of_nobody_we_know_is_refused(client, tmp_path):
    tls, _trusting = certificate(tmp_path, "127.0.0.1")
    with serving(polite, tls=tls) as server:
        assert "the certificate is refused (self-signed" in failing(NotSent, client, server.url)
    assert server.requests == []


def test_a_certificate_of_another_host_is_refused(tmp_path):
    tls, trusting = certificate(tmp_path, "10.0.0.1")
    client = HttpClient(private_hosts={"127.0.0.1"}, tls=trusting)
    with serving(polite, tls=tls) as server:
        assert "the certificate is refused (IP address mismatch" in failing(NotSent, client, server.url)
    assert server.requests == []


def test_a_handshake_that_never_ends_meets_the_deadline(client, tmp_path):
    tls, _trusting = certificate(tmp_path, "127.0.0.1")
    with serving(Talk.hold, tls=tls, shakes_hands=False) as server:
        assert failing(NotSent, client, server.url, timeout=SHORT) == "127.0.0.1: no answer within 0.4 s"


def test_an_answer_over_tls_that_arrives_byte_by_byte_meets_the_deadline(tmp_path):
    tls, trusting = certificate(tmp_path, "127.0.0.1")
    client = HttpClient(private_hosts={"127.0.0.1"}, tls=trusting)

    def script(talk: Talk) -> None:
        talk.read()
        talk.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")

    check_deadline(client, script, tls=tls)


# --- something has left ---------------------------------------------------------------------------------


def check_deadline(client: HttpClient, script, **options) -> None:
    with serving(script, **options) as server:
        started = time.monotonic()
        text = failing(OutcomeUnknown, client, server.url, timeout=SHORT)
        assert time.monotonic() - started < SOON
    assert text == "127.0.0.1: no answer within 0.4 s"
    assert server.connections == 1


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
    ],
    ids=["status", "headers", "body", "body until the end", "chunks"],
)
def test_an_answer_that_arrives_byte_by_byte_meets_the_deadline(client, start):
    def script(talk: Talk) -> None:
        talk.read()
        talk.drip(start)

    check_deadline(client, script)


def test_silence_meets_the_deadline(client):
    def script(talk: Talk) -> None:
        talk.read()
        talk.hold()

    check_deadline(client, script)


@pytest.mark.parametrize("over_tls", [False, True])
def test_a_server_that_does_not_read_meets_the_deadline(tmp_path, over_tls):
    tls, trusting = certificate(tmp_path, "127.0.0.1")
    client = HttpClient(private_hosts={"127.0.0.1"}, tls=trusting)
    with serving(Talk.hold, tls=tls if over_tls else None) as server:
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown, match=r"^127\.0\.0\.1: no answer within 1 s$"):
            client.request("POST", server.url, body=b"x" * 30_000_000, timeout=1)
        assert time.monotonic() - started < SOON


def test_an_endless_answer_is_cut_off_and_its_connection_closed(client):
    sent: list[int] = []
    closed = threading.Event()

    def script(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while len(sent) < 10_000:
                talk.send(b"x" * 65536)
                sent.append(65536)
        except OSError:
            closed.set()

    with serving(script) as server:
        with pytest.raises(OutcomeUnknown, match=r"^127\.0\.0\.1: the answer is longer than 1000000 bytes$"):
            post(client, server.url)
        assert closed.wait(20)
    assert sum(sent) < 200_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=["short", "chunk", "headers", "another protocol", "nothing"],
)
def test_an_answer_cut_off_is_no_answer(client, answer):
    def script(talk: Talk) -> None:
        talk.read()
        talk.send(answer)
        talk.close()

    with serving(script) as server:
        failing(OutcomeUnknown, client, server.url)
    assert (server.connections, len(server.requests)) == (1, 1)


# --- connections that were kept -----------------------------------------------------------------------------


def closing_after(count: int, how: str):
    """A script that answers so many requests of a connection, reads no further and ends it; and when it has."""
    ended = threading.Event()

    def script(talk: Talk) -> None:
        for _ in range(count):
            talk.read()
            talk.answer()
        getattr(talk, how)()
        ended.set()

    return script, ended


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(client, how):
    script, ended = closing_after(1, how)
    with serving(script) as server:
        post(client, server.url)
        assert ended.wait(20)
        assert post(client, server.url).body == b"ok"
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_kept_connection_that_takes_nothing_any_more_is_replaced(client, monkeypatch):
    """It breaks after we looked and before we write: not a byte has left, so the request is sent on another."""
    script, ended = closing_after(1, "reset")
    with serving(script) as server:
        post(client, server.url)
        assert ended.wait(20)
        monkeypatch.setattr(http._HttpConnection, "is_connected", True)
        assert post(client, server.url).body == b"ok"
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_kept_connection_that_is_closed_under_the_request_leaves_the_outcome_unknown(client):
    """The server had the request when it ended: nobody may send it again."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.answer()
        talk.read()
        talk.close()

    with serving(script) as server:
        post(client, server.url)
        failing(OutcomeUnknown, client, server.url)
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_kept_connection_that_took_a_byte_leaves_the_outcome_unknown(client, monkeypatch):
    """Closed by the other side, but the system still took our bytes: we cannot tell how far they got."""
    script, ended = closing_after(1, "close")
    with serving(script) as server:
        post(client, server.url)
        assert ended.wait(20)
        monkeypatch.setattr(http._HttpConnection, "is_connected", True)
        failing(OutcomeUnknown, client, server.url)
    assert (server.connections, len(server.requests)) == (1, 1)


def test_the_server_of_these_tests_reads_several_requests_of_one_connection():
    with Server(polite) as server, socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
        received = b""
        while received.count(b"ok") < 2:
            received += sock.recv(4096)
    assert server.requests == [
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab",
    ]
