"""The shipped seed model: its version, and the digest of its manifest. Written by `make seed-model`."""

SEED_VERSION = "gradient_boosting_20261123T221102Z_1"
SEED_MANIFEST_SHA256 = "417a8fc8df33e5c5746fc3bdaf94a361dae03fa7e350108d9dc16fa62da4f3ee"
