"""The shipped seed model: its version, and the digest of its manifest. Written by `make seed-model`."""

SEED_VERSION = "gradient_boosting_20261124T003948Z_2"
SEED_MANIFEST_SHA256 = "dea850b2107ff4af2fd21fd5bd85091fa84a02171d2853cd22f82c7bef12485c"
