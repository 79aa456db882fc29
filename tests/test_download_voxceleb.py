"""VoxCeleb's lists are fetched whole, through broken connections, and checked."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts/download/download_voxceleb_meta.sh"
REAL = ("veri_test.txt", "veri_test2.txt", "vox1_meta.csv", "vox2_meta.csv")


class Server(ThreadingHTTPServer):
    """Serves files of a folder; breaks off veri_test.txt, and spoils vox1_meta.csv, once each."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.calls = folder, Counter[str]()
        self.ranges: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        name = self.path.lstrip("/")
        server.calls[name] += 1
        if not (server.folder / name).is_file():
            self.send_error(404)
            return
        content = (server.folder / name).read_bytes()
        is_first = server.calls[name] == 1
        if name == "vox1_meta.csv" and is_first:
            content = content.replace(b"India", b"Spain")
        start = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        if start:
            server.ranges.append(name)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = len(content) // 2 if name == "veri_test.txt" and is_first else len(content)
        self.wfile.write(content[start:stop])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(speech_data: Path) -> Iterator[Server]:
    with Server(speech_data / "voxceleb_meta") as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def download(server: Server, folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {"DATA_FOLDER": str(folder), "VOXCELEB_META_URL": server.url}
    variables |= {"DOWNLOAD_TRIES": "2", "DOWNLOAD_PAUSE": "0", "PATH": "/usr/bin:/bin"}
    return subprocess.run([SCRIPT], env=variables, capture_output=True, text=True, check=False)


def test_what_the_server_has_arrives_whole_and_what_it_lacks_is_named(
    server: Server, tmp_path: Path
):
    done = download(server, tmp_path)
    for name in REAL:
        arrived = (tmp_path / "voxceleb_meta" / name).read_bytes()
        assert arrived == (server.folder / name).read_bytes()
    assert set(server.ranges) == {"veri_test.txt"}
    assert server.calls["vox1_meta.csv"] == 2
    assert "vox1_meta.csv: it is not the official file; it is deleted" in done.stderr
    assert (done.returncode, "error: 4 of 8 files are missing" in done.stderr) == (1, True)

    calls = server.calls.copy()
    assert "veri_test.txt is there already" in download(server, tmp_path).stderr
    assert [server.calls[name] for name in REAL] == [calls[name] for name in REAL]
