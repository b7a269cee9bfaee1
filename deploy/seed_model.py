"""Train the model that the repository ships, put it into models/versions, and pin its manifest's digest in the code.

    python deploy/seed_model.py GAUGES_DIR

Called by `make seed-model`. The version folder (model, manifest, card and probe) and core/adapters/seed.py are then
committed together (`git add -f`, because versions are state and ignored otherwise). The signature is not shipped: it is
that of a home that is gone, and the digest in the code stands in its place.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEED_FILE = ROOT / "core" / "adapters" / "seed.py"
SIZE_LIMIT_BYTES = 4_000_000
SIGNATURE = "manifest.hmac"
TRAIN = (
    "-m core train --model gradient_boosting --until 2022-12-31 --seed 7",
    "--area=Brazil (INMET automatic stations)",
    "--limit=Trained on Brazilian gauges; transfer to the Himalaya is not verified.",
    "--limit=Brazil's stations lie below 1,410 m: greater heights are outside what the model has seen.",
)
SEED_TEXT = '''"""The shipped seed model: its version, and the digest of its manifest. Written by `make seed-model`."""

SEED_VERSION = "{version}"
SEED_MANIFEST_SHA256 = "{digest}"
'''


def main() -> int:
    """Train in an empty home, then ship the one version found there."""
    gauges = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, *TRAIN[0].split(), *TRAIN[1:], "--gauges", str(gauges)]
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "CLOUDBURST_HOME": home})  # noqa: S603
        trained = next(p for p in (Path(home) / "models" / "versions").iterdir() if not p.name.startswith("."))
        size = (trained / "model.skops").stat().st_size
        if size > SIZE_LIMIT_BYTES:
            raise SystemExit(f"{size} bytes are too many to ship")
        target = ROOT / "models" / "versions" / trained.name
        shutil.copytree(trained, target, ignore=shutil.ignore_patterns(SIGNATURE))
    digest = hashlib.sha256((target / "manifest.json").read_bytes()).hexdigest()
    SEED_FILE.write_text(SEED_TEXT.format(version=target.name, digest=digest), "utf-8")
    print(f"shipped {target.name}, {size} bytes; remove the old folder and commit both with git add -f")
    return 0


if __name__ == "__main__":
    sys.exit(main())
