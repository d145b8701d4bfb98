"""The seeds are the files that were given, byte for byte."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

DIGESTS = {
    "000_ab32c35f2a36d1ce.txt": "2c96434592d320371f09e1c08d78ebde66dab23435d8ff4a3f4d6bc7e798f92f",
    "001_3d3eea1584c81bb5.txt": "f4e1d198439ef0cc1d201893fae7bb744ceb53a627ca08bef10204e4002e2e30",
    "002_efe75be4f1cc9970.txt": "5504dc8c54b23cdee2ebde4c49fd99ae67f698b7a39950ea5fbf2d9f8984efb0",
    "003_f6123240e28d6433.txt": "cb81a0305a9637a6a1d132231ffadc1817caedcba3e90187f75ca14f3c3afeb9",
    "004_fad694d2320de778.txt": "5f9c195a5e95b55af5ea5507ce389d7aaf836e3a48c6dd3e0345651fda82e3bb",
}
"""SHA-256 of the files as the first commit has them."""


def test_the_seeds_are_untouched(root: Path) -> None:
    found = {p.name: sha256(p.read_bytes()).hexdigest() for p in (root / "seeds").iterdir()}
    assert found == DIGESTS
