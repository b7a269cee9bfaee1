"""The shipped seed model: its version, and the digest of its manifest. Written by `make seed-model`."""

SEED_VERSION = "gradient_boosting_20261124T044730Z_5"
SEED_MANIFEST_SHA256 = "199bcacb673eae308467699ae206a7d3904f282093a29ed329d7456596c5459a"
