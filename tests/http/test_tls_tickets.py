"""What TLS has to say for itself while a body goes out is not taken for an early answer."""

from __future__ import annotations

import ssl

from tests.http.raw_server import Connection, RawServer, ReceivedRequest
from tests.http.sync_and_async_senders import Once, post

BIG = bytes(30_000_000)


def test_a_session_ticket_that_comes_while_nobody_reads(
    send: Once, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """A server sends its tickets after the handshake, before it has read anything."""
    sizes: list[int] = []

    def late(connection: Connection, request: ReceivedRequest) -> None:
        # By now the buffers between the two are full, and the client waits for room.
        connection.over.wait(0.3)
        sizes.append(len(connection.take(int(request.headers["content-length"]))))
        connection.answer(b"done")

    assert client_tls.maximum_version in (
        ssl.TLSVersion.MAXIMUM_SUPPORTED,
        ssl.TLSVersion.TLSv1_3,
    )
    with RawServer(late, server_tls, whole=False) as server:
        answer = send(post(f"{server.base}/x", BIG), ssl_context=client_tls)
    assert answer.content == b"done"
    assert sizes == [len(BIG)]
