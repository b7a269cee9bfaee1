"""The shipped seed model: which version it is, and the digest its manifest must have. Written by `make seed-model`."""

SEED_VERSION = ""
SEED_MANIFEST_SHA256 = ""
