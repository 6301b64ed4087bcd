import socket

from citepoll.surfaces.web.listening import bound


def test_small_answers_are_not_held_back():
    """With Nagle's algorithm a page whose head and body are two packets waits for the reader's delayed ACK."""
    with bound("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        taken, _ = listening.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
