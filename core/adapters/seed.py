"""The shipped seed model: its version, and the digest of its manifest. Written by `make seed-model`."""

SEED_VERSION = "gradient_boosting_20261124T015222Z_3"
SEED_MANIFEST_SHA256 = "e9ef3fcf04a193dfc2959ad1b5f6d9c8abfebfb64945cebb283018690646908d"
