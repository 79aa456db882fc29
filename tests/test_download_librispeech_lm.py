"""LibriSpeech's language models are fetched by name and held against their checksums."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

SCRIPT = Path("scripts/download/download_librispeech_lm.sh")
REPOSITORY = Path(__file__).resolve().parents[1]
FILES = {"4-gram.arpa.gz": b"packed " * 900, "librispeech-vocab.txt": b"A\nABLE\n"}

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """Serve the files; the address."""
    (tmp_path / "11").mkdir()
    for name, content in FILES.items():
        (tmp_path / "11" / name).write_bytes(content)
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/11"
        server.shutdown()
        thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the script, which expects the small files' checksums."""
    text = (REPOSITORY / SCRIPT).read_text()
    for name, content in FILES.items():
        md5 = hashlib.md5(content).hexdigest()
        text, number = re.subn(rf"[0-9a-f]{{32}} {re.escape(name)}", f"{md5} {name}", text, count=1)
        assert number == 1
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "project" / "scripts")
    (tmp_path / "project" / SCRIPT).write_text(text)
    return tmp_path / "project"


def download(project: Path, mirror: str, *names: str) -> tuple[int, str]:
    """Return the exit code, and what was said."""
    settings = {"DATA_FOLDER": "corpora", "DOWNLOAD_TRIES": "1", "LIBRISPEECH_LM_URL": mirror}
    environment = {"PATH": os.environ["PATH"], **settings}
    done = subprocess.run(
        [project / SCRIPT, *names], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_model_and_its_words_arrive_once_as_they_are(project: Path, mirror: str) -> None:
    code, said = download(project, mirror)
    folder = project / "corpora" / "librispeech_lm"
    assert (code, {path.name: path.read_bytes() for path in folder.iterdir()}) == (0, FILES), said
    assert "librispeech-vocab.txt is there already" in download(project, mirror)[1]


def test_a_file_of_other_bytes_is_not_kept(project: Path, mirror: str, tmp_path: Path) -> None:
    (tmp_path / "11" / "4-gram.arpa.gz").write_bytes(b"other")
    code, said = download(project, mirror, "4-gram.arpa.gz")
    assert (code, list((project / "corpora" / "librispeech_lm").iterdir())) == (1, [])
    assert "was not the official file twice" in said


def test_an_unknown_name_is_refused_with_those_there_are(project: Path, mirror: str) -> None:
    code, said = download(project, mirror, ".*")
    assert code == 2
    assert "there is no file '.*'; there are: 4-gram.arpa.gz 3-gram.arpa.gz" in said
