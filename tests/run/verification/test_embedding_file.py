"""Embeddings in the forms that other systems write, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from duovox.run.verification.embedding_file import is_embedding_file, read_embeddings

VECTORS = np.array([[3.0, 4.0], [0.0, -2.0]])
UNIT = np.array([[0.6, 0.8], [0.0, -1.0]])


def binary(key: str, vector: NDArray[np.float64], kind: bytes) -> bytes:
    numbers = vector.astype("<f4" if kind == b"FV " else "<f8").tobytes()
    return key.encode() + b" \0B" + kind + b"\4" + struct.pack("<i", len(vector)) + numbers


def write(path: Path, form: str) -> Path:
    if form == "npz":
        np.savez(path, keys=np.array(["a/1.wav", "b-2"]), embeddings=VECTORS)
    elif form == "text":
        path.write_text("a/1.wav  [ 3 4.0 ]\nb-2  [ 0 -2e0 ]\n")
    else:
        kind = {"float": b"FV ", "double": b"DV "}[form]
        path.write_bytes(binary("a/1.wav", VECTORS[0], kind) + binary("b-2", VECTORS[1], kind))
    return path


@pytest.mark.parametrize("form", ["npz", "text", "float", "double"])
def test_every_form_gives_the_same_unit_vectors(form: str, tmp_path: Path) -> None:
    path = write(tmp_path / ("xvector.npz" if form == "npz" else "xvector.ark"), form)
    assert is_embedding_file(path)
    found = read_embeddings(path)
    assert found.keys == ("a/1.wav", "b-2")
    np.testing.assert_allclose(found.vectors, UNIT, atol=1e-7)


def test_an_scp_file_points_into_several_archives(tmp_path: Path) -> None:
    first, second = tmp_path / "x.1.ark", tmp_path / "x.2.ark"
    start = binary("z", VECTORS[0], b"FV ")
    first.write_bytes(start + binary("b-2", VECTORS[1], b"FV "))
    second.write_bytes(binary("a/1.wav", VECTORS[0], b"FV "))
    scp = tmp_path / "x.scp"
    scp.write_text(f"a/1.wav {second}:{len('a/1.wav ')}\nb-2 {first}:{len(start) + len('b-2 ')}\n")
    found = read_embeddings(scp)
    assert found.keys == ("a/1.wav", "b-2")
    np.testing.assert_allclose(found.vectors, UNIT, atol=1e-7)


def test_scores_are_no_embeddings(tmp_path: Path) -> None:
    path = tmp_path / "scores.txt"
    path.write_text("a b 0.5 target\n")
    assert not is_embedding_file(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a [ 1 2 ]\nb [ nan 2 ]\n", r"1 of 2 embeddings in .* are not finite.*\n  b$"),
        ("a [ 1 2 ]\nb [ 0 0 ]\n", r"1 of 2 embeddings in .* have length 0.*\n  b$"),
        ("a [ 1 2 ]\na [ 1 3 ]\n", r"has 1 keys more than once:\n  a$"),
        ("a [ 1 2 ]\nb [ 1 3 4 ]\n", r"different widths: \[2, 3\]"),
        ("a [ 1 2 ]\nb [ 1 x ]\n", r"b: a vector must read"),
        ("a [ 1 2\n", r"a: a vector must read"),
    ],
)
def test_unusable_vectors_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ark"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_embeddings(path)


def test_a_cut_archive_and_a_matrix_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.ark"
    path.write_bytes(binary("a", VECTORS[0], b"FV ")[:-1])
    with pytest.raises(ValueError, match="a: the vector is cut short"):
        read_embeddings(path)
    path.write_bytes(binary("a", VECTORS[0], b"FV ").replace(b"FV ", b"FM "))
    with pytest.raises(ValueError, match="only vectors can be read"):
        read_embeddings(path)


def test_other_arrays_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, vectors=VECTORS)
    with pytest.raises(ValueError, match=r"must hold the arrays `paths`.*got vectors"):
        read_embeddings(path)
    np.savez(path, paths=np.array(["a"]), embeddings=VECTORS)
    with pytest.raises(ValueError, match=r"one vector per key.*1 keys and an array of shape \(2,"):
        read_embeddings(path)
    with pytest.raises(ValueError, match="there is no file"):
        read_embeddings(tmp_path / "none.npz")
