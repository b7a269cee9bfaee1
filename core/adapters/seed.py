"""The shipped seed model: its version, and the digest of its manifest. Written by `make seed-model`."""

SEED_VERSION = "gradient_boosting_20261123T223843Z_1"
SEED_MANIFEST_SHA256 = "c0dacf111b025d7eb0f894d05a9c6eb15ed525b3a101fa6fb95b48f5804f1418"
