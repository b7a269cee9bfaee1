"""The shipped seed model: its version, and the digest of its manifest. Written by `make seed-model`."""

SEED_VERSION = "gradient_boosting_20261124T042141Z_4"
SEED_MANIFEST_SHA256 = "ef1ebb51bd47756a37ebbf079d53cffd750a1bc7d59853d338044a905ec0b77f"
