"""What may be called, how it is sent, and that connections are used again."""

from __future__ import annotations

import os
import socket
import threading
import warnings

import pytest

from common import http
from common.http import HttpClient, NotSent, OutcomeUnknown, is_public, outbound
from tests.common.scripted import Talk, once, polite, serving


@pytest.fixture
def client() -> HttpClient:
    return HttpClient(private_hosts={"127.0.0.1", "localhost"})


def post(client: HttpClient, url: str, body: bytes = b"a=1", *, timeout: float = 20):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return client.request("POST", url, body=body, headers=headers, timeout=timeout)


def resolving(monkeypatch, *answers: list[str]) -> list[str]:
    """Names resolve to these addresses, one list at each look-up, the last one for ever; the names looked up."""
    looked_up: list[str] = []

    def getaddrinfo(host, port, **_options):
        looked_up.append(host)
        addresses = answers[min(len(looked_up), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


def connecting(monkeypatch) -> list[tuple[str, int]]:
    """Nothing connects; the addresses that were tried."""
    tried: list[tuple[str, int]] = []

    def connect(_sock, address):
        tried.append(address)
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(http._PlainSocket, "connect", connect)
    return tried


# --- what is sent and received --------------------------------------------------------------------


def test_a_request_is_sent_as_told_and_the_answer_given_whole(client):
    with serving(once(status="418 Teapot", body=b"\x00caf\xc3\xa9", headers="X-One: 1\r\n")) as server:
        answer = post(client, f"{server.url}/a/b?c=d", b"x=1&y=2")
    assert (answer.status, answer.body, answer.headers["x-one"]) == (418, b"\x00caf\xc3\xa9", "1")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /a/b?c=d HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}".encode() in head.split(b"\r\n")
    assert b"Content-Length: 7" in head.split(b"\r\n")
    assert b"Accept-Encoding: identity" in head.split(b"\r\n")
    assert body == b"x=1&y=2"


def test_an_answer_in_pieces_is_put_together(client):
    def script(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
        talk.hold()

    with serving(script) as server:
        assert post(client, server.url).body == b"abcdefg"


def test_an_answer_does_not_show_its_body_when_it_is_printed(client):
    with serving(once(body=b"secret")) as server:
        assert "secret" not in repr(post(client, server.url))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 There"])
def test_a_redirect_is_not_followed(client, status):
    with (
        serving(polite) as elsewhere,
        serving(once(status=status, headers=f"Location: {elsewhere.url}/\r\n")) as server,
    ):
        assert post(client, server.url).status == int(status[:3])
    assert elsewhere.connections == 0
    assert len(server.requests) == 1


# --- who may be called ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::",
        "64:ff9b::7f00:1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_public_internet(address):
    assert is_public(address) is False


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_public_internet(address):
    assert is_public(address) is True


@pytest.mark.parametrize("url", ["https://127.0.0.1:{port}/", "https://localhost:{port}/"])
def test_a_private_address_is_refused_unless_its_host_is_named(url):
    with serving(polite) as server, pytest.raises(NotSent, match="private address"):
        post(HttpClient(private_hosts=()), url.format(port=server.port))
    assert server.connections == 0


def test_a_name_that_leads_to_a_private_address_is_refused(monkeypatch):
    resolving(monkeypatch, ["10.0.0.5"])
    tried = connecting(monkeypatch)
    with pytest.raises(NotSent, match=r"^moodle\.example: has a private address$"):
        post(HttpClient(private_hosts=()), "https://moodle.example/")
    assert tried == []


def test_of_several_addresses_only_the_public_ones_are_tried(monkeypatch):
    resolving(monkeypatch, ["127.0.0.1", "93.184.216.34", "192.168.0.1", "1.1.1.1"])
    tried = connecting(monkeypatch)
    with pytest.raises(NotSent, match="refused"):
        post(HttpClient(private_hosts=()), "https://moodle.example/")
    assert tried == [("93.184.216.34", 443), ("1.1.1.1", 443)]


def test_a_name_that_resolves_differently_the_second_time_gains_nothing(monkeypatch):
    looked_up = resolving(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    tried = connecting(monkeypatch)
    with pytest.raises(NotSent):
        post(HttpClient(private_hosts=()), "https://moodle.example/")
    assert looked_up == ["moodle.example"]  # the address that was checked is the one that was tried
    assert tried == [("93.184.216.34", 443)]


def test_plain_http_is_spoken_with_named_hosts_only():
    with serving(polite) as server, pytest.raises(NotSent, match="only https"):
        post(HttpClient(private_hosts=("other",)), server.url)
    assert server.connections == 0


def test_the_setting_names_the_hosts(settings):
    with serving(polite) as server:
        with pytest.raises(NotSent, match="only https"):
            post(outbound(), server.url)
        settings.SHOPSEATS_PRIVATE_HOSTS = ["127.0.0.1"]
        assert post(outbound(), server.url).body == b"ok"


@pytest.mark.parametrize(
    "url",
    [
        "", "moodle", "https://", "ftp://127.0.0.1/", "file:///etc/passwd", "https://exa mple/", "https://h:x/",
        "https://host/\r\nX: 1", "https://[::1/", "https://user:word@127.0.0.1/", "https://é.example/",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_server_is_refused(client, url, monkeypatch):
    tried = connecting(monkeypatch)
    with pytest.raises(NotSent) as caught:
        post(client, url)
    assert tried == []
    assert "word" not in str(caught.value)


# --- connections ----------------------------------------------------------------------------------


def test_connections_are_used_again(client):
    with serving(polite) as server:
        assert [post(client, server.url).body for _ in range(6)] == [b"ok"] * 6
    assert (server.connections, len(server.requests)) == (1, 6)


def test_threads_share_a_client_and_each_gets_its_own_answers(client):
    def echo(talk: Talk) -> None:
        while True:
            talk.answer(talk.read().partition(b"\r\n\r\n")[2])

    wrong: list[bytes] = []

    def ask(name: int) -> None:
        for turn in range(20):
            said = f"{name}-{turn}".encode() * 50
            if (heard := post(client, server.url, said).body) != said:
                wrong.append(heard)

    with serving(echo) as server:
        threads = [threading.Thread(target=ask, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert wrong == []
    assert len(server.requests) == 80
    assert server.connections <= 4


def test_a_connection_that_was_idle_for_long_is_not_used_again(client, monkeypatch):
    with serving(polite) as server:
        post(client, server.url)
        monkeypatch.setattr(http, "IDLE_SECONDS", 0.0)
        post(client, server.url)
    assert server.connections == 2


def test_a_forked_process_starts_without_connections(client):
    with serving(polite) as server:
        post(client, server.url)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if post(client, server.url).body == b"ok" else 1
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert server.connections == 2
        post(client, server.url)
        assert server.connections == 2  # ours is still there


def test_an_answer_cut_short_closes_the_connection_so_that_its_rest_is_no_answer(client):
    def script(talk: Talk) -> None:
        if b"first" in talk.read():
            talk.answer(b"x" * 200_000)
            talk.hold()
        talk.answer(b"second")
        talk.hold()

    with serving(script) as server:
        with pytest.raises(OutcomeUnknown, match="longer than 1000 bytes"):
            client.request("POST", server.url, body=b"first", timeout=20, limit=1000)
        assert post(client, server.url).body == b"second"
    assert server.connections == 2
