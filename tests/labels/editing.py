"""The server of `facealign labels edit`, in a thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from facealign.labels.edit_server import Server
from facealign.labels.edits import Edits


@contextmanager
def serving(edits: Edits) -> Iterator[Server]:
    with Server(edits, 0) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
