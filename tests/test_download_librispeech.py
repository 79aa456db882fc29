"""The download goes on after a break, tries again, and believes checksums alone."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

SCRIPT = Path("scripts/download/download_librispeech.sh")
REPOSITORY = Path(__file__).resolve().parents[1]
ARCHIVES = {
    "dev-clean.tar.gz": np.random.default_rng(1).bytes(50_000),
    "test-other.tar.gz": np.random.default_rng(2).bytes(3_000),
    "librispeech_finetuning.tgz": np.random.default_rng(3).bytes(2_000),
}

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


class Mirror(ThreadingHTTPServer):
    """Serve the archives, with the troubles that a test asks for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str]] = []  # path and range
        self.num_breaks = 0  # answers that end mid-way
        self.num_wrong = 0  # answers whose bytes are wrong

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        given = self.headers.get("Range", "")
        self.server.requests.append((self.path, given))
        content = ARCHIVES.get(self.path.rpartition("/")[2])
        start = int(re.sub(r"\D", "", given) or 0)
        if content is None or start >= len(content):
            self.send_error(404 if content is None else 416)
            return
        self.send_response(206 if given else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if given:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(self._body(content[start:]))

    def _body(self, content: bytes) -> bytes:
        if self.server.num_wrong > 0:
            self.server.num_wrong -= 1
            return b"x" + content[1:]
        if self.server.num_breaks > 0:
            self.server.num_breaks -= 1
            return content[: len(content) // 2]
        return content

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the script, which expects the small archives' checksums."""
    text = (REPOSITORY / SCRIPT).read_text()
    for name, content in ARCHIVES.items():
        method = hashlib.sha256 if name.endswith(".tgz") else hashlib.md5
        text, number = re.subn(
            rf"\w+ {re.escape(name)}", f"{method(content).hexdigest()} {name}", text
        )
        assert number == 1
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "project" / "scripts")
    (tmp_path / "project" / SCRIPT).write_text(text)
    return tmp_path / "project"


def download(project: Path, mirror: Mirror, *names: str, tries: int = 5) -> tuple[int, str]:
    """Return the exit code, and what was said."""
    settings = {"DATA_FOLDER": "corpora", "DOWNLOAD_TRIES": str(tries), "DOWNLOAD_PAUSE": "0"}
    urls = {"LIBRISPEECH_URL": f"{mirror.url}/12", "LIBRILIGHT_URL": f"{mirror.url}/light"}
    done = subprocess.run(
        [project / SCRIPT, *names],
        env={"PATH": os.environ["PATH"], **settings, **urls},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def fetched(project: Path) -> dict[str, bytes]:
    folder = project / "corpora" / "librispeech_archives"
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_archives_arrive_from_both_places_and_are_not_fetched_twice(project, mirror) -> None:
    names = ["test-other", "librispeech_finetuning"]
    code, said = download(project, mirror, *names)
    assert code == 0, said
    assert fetched(project) == {name: ARCHIVES[name] for name in list(ARCHIVES)[1:]}
    assert [path for path, _ in mirror.requests] == [
        "/12/test-other.tar.gz",
        "/light/librispeech_finetuning.tgz",
    ]
    assert download(project, mirror, *names)[0] == 0
    assert len(mirror.requests) == 2


def test_a_download_that_breaks_off_goes_on_where_it_was(project, mirror) -> None:
    mirror.num_breaks = 2
    code, said = download(project, mirror, "dev-clean")
    assert code == 0, said
    assert fetched(project) == {"dev-clean.tar.gz": ARCHIVES["dev-clean.tar.gz"]}
    assert ("/12/dev-clean.tar.gz", "bytes=25000-") in mirror.requests


def test_the_next_command_goes_on_too(project, mirror) -> None:
    mirror.num_breaks = 1
    code, said = download(project, mirror, "dev-clean", tries=1)
    assert code == 1
    assert "give the same command again" in said
    assert list(fetched(project)) == ["dev-clean.tar.gz.part"]
    assert download(project, mirror, "dev-clean")[0] == 0
    assert fetched(project) == {"dev-clean.tar.gz": ARCHIVES["dev-clean.tar.gz"]}
    assert mirror.requests[-1][1] == "bytes=25000-"


def test_a_wrong_checksum_is_fetched_anew_once(project, mirror) -> None:
    mirror.num_wrong = 1
    code, said = download(project, mirror, "test-other")
    assert code == 0, said
    assert "it is not the official file; it is deleted" in said
    assert fetched(project) == {"test-other.tar.gz": ARCHIVES["test-other.tar.gz"]}


def test_an_archive_that_stays_wrong_is_an_error_and_the_others_arrive(project, mirror) -> None:
    mirror.num_wrong = 2
    code, said = download(project, mirror, "test-other", "librispeech_finetuning")
    assert code == 1
    assert "was not the official file twice" in said
    assert "1 of 2 files are missing" in said
    assert list(fetched(project)) == ["librispeech_finetuning.tgz"]


def test_a_file_that_the_server_does_not_have_is_not_asked_for_again(project, mirror) -> None:
    code, said = download(project, mirror, "test-clean")
    assert code == 1
    assert "/12/test-clean.tar.gz is not there, or not for everyone (HTTP status 404)" in said
    assert len(mirror.requests) == 1


def test_a_misspelt_name_fetches_nothing(project, mirror) -> None:
    code, said = download(project, mirror, "dev-clear")
    assert code == 2
    assert "no archive 'dev-clear'" in said
    assert "train-other-500" in said
    assert mirror.requests == []
