"""Connections that can be cut: a road forwards what one process sends to another, until it is told not to.

A road stands for the network between two machines. Nothing of the kernel is changed, so that no rights are needed; the
price is that a peer's kernel still acknowledges what is sent into a cut road.
"""

import asyncio
import http.client
import http.server
import random
import socket
import threading


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(port, method, path, body=None, headers=None, patience=10):
    """The status and the body of an answer, or (None, None) if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None, None
    finally:
        connection.close()


class Roads:
    """All roads, in a thread of their own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def road(self, target):
        road = Road(self.loop, target)
        asyncio.run_coroutine_threadsafe(road.listen(), self.loop).result(10)
        return road


class Road:
    """From its port to the port `target` of this machine."""

    def __init__(self, loop, target):
        self.loop, self.target, self.port = loop, target, free_port()
        self.links, self.is_open, self.refuses = set(), None, False

    async def listen(self):
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port)

    async def serve(self, reader, writer):
        if self.refuses:
            writer.transport.abort()
            return
        # What is connected to a cut road waits, as it would for a lost answer to its first packet.
        await self.is_open.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        link = Link(self, [(reader, far_writer), (far_reader, writer)])
        self.links.add(link)
        await link.serve()
        self.links.discard(link)

    def _do(self, work):
        async def run():
            work()
        asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def cut(self):
        """Nothing passes any more, and nobody is told. What was sent meanwhile arrives when the road is open again."""
        self._do(self.is_open.clear)

    def heal(self):
        def work():
            self.refuses = False
            self.is_open.set()
        self._do(work)

    def refuse(self):
        """Ends all connections, and refuses new ones."""
        def work():
            self.refuses = True
            for link in list(self.links):
                link.abort()
        self._do(work)

    def half_open(self):
        """The far side forgets all connections; the near side is not told. New ones work."""
        def work():
            for link in list(self.links):
                link.forget()
        self._do(work)


class Link:
    """One connection, in two directions."""

    def __init__(self, road, ways):
        self.road, self.ways, self.is_forgotten = road, ways, False

    async def serve(self):
        await asyncio.gather(*(self.pump(*way) for way in self.ways))

    async def pump(self, reader, writer):
        try:
            while data := await reader.read(65536):
                await self.road.is_open.wait()
                if not self.is_forgotten:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        await self.road.is_open.wait()
        # A forgotten connection stays open on the near side until its owner gives it up.
        if not self.is_forgotten or reader is self.ways[0][0]:
            writer.close()

    def abort(self):
        for _, writer in self.ways:
            writer.transport.abort()

    def forget(self):
        self.is_forgotten = True
        far_writer = self.ways[0][1]
        far_writer.transport.abort()


class Balancer(http.server.ThreadingHTTPServer):
    """Where the platform's webhooks arrive: it asks one node, and the other one if there is no answer."""

    daemon_threads, request_queue_size = True, 256

    def __init__(self, port, nodes):
        super().__init__(("127.0.0.1", port), Forward)
        self.nodes, self.answers = nodes, {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # The platform has hung up.


class Forward(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, answer, kind = 502, b"", "text/plain"
        for port in random.sample(self.server.nodes, len(self.server.nodes)):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                given = connection.getresponse()
                status, answer, kind = given.status, given.read(), given.getheader("Content-Type", "text/plain")
                break
            except (OSError, http.client.HTTPException):
                continue
            finally:
                connection.close()
        self.server.answers[status] = self.server.answers.get(status, 0) + 1
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = forward

    def log_message(self, *_):
        pass
