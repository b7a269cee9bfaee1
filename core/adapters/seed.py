"""The shipped seed model: its version, and the digest of its manifest. Written by `make seed-model`."""

SEED_VERSION = "gradient_boosting_20261123T212943Z_1"
SEED_MANIFEST_SHA256 = "be17f3d8eed3516cdfc84db8a543d4e1a91840750a5290e287d0d1b5de84c5cf"
