"""The shipped seed model: its version, and the digest of its manifest. Written by `make seed-model`."""

SEED_VERSION = "gradient_boosting_20261124T044730Z_5"
SEED_MANIFEST_SHA256 = "bb6abcee30179db5b792318812ceff8d22d44668bc584e065c4db0c01d7a38e5"
