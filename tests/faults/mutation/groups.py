"""Which modules are mutated together, and the quick tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass

#: Lines that are not mutated: the words of an error, its hint and its facts, and of a log are for people, and the
#: tests of the catalogue read them; the name of a codec is the same in capitals.
UNJUDGED = (
    r"\bhint=",
    r"^\s*(message=)?f?\"[^\"]* [^\"]*\",?$",
    r"\b(raise|return) (\w+Error|Model\w+|NotEncodable|ValueError)\(f?\"",
    r"^\s*version=self\.version,$",
    r"\btell\(\"",
    r"\blog\.(debug|info|warning|error)\(",
    r"\"utf-8\", \"replace\"|\"backslashreplace\"",
)


@dataclass(frozen=True)
class Group:
    """Modules below core/, tests below tests/, and those of them that are left out because they take seconds each."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()


GROUPS: dict[str, Group] = {
    "units": Group(
        ("domain/units.py",),
        (
            "golden/test_thermo.py",
            "unit/test_domain.py",
            "unit/test_quality_instant.py",
            "unit/test_features.py",
            "unit/test_first_due.py",
            "unit/test_units.py",
        ),
    ),
    "inference": Group(
        ("experiments/inference.py", "experiments/contrasts.py", "experiments/sums.py", "experiments/classical.py"),
        (
            "unit/test_experiment_inference.py",
            "unit/test_experiment_contrasts.py",
            "unit/test_experiment_sums.py",
            "unit/test_experiment_analysis.py",
            "unit/test_classical_tests.py",
            "unit/test_calibration_slope.py",
        ),
    ),
    "quality": Group(
        (
            "quality/checks.py",
            "quality/rules.py",
            "quality/schema.py",
            "quality/sequence.py",
            "quality/instant.py",
        ),
        (
            "golden/test_quality.py",
            "unit/test_quality.py",
            "unit/test_quality_instant.py",
            "unit/test_quality_sequence.py",
            "unit/test_duplicates.py",
            "unit/test_schema.py",
        ),
        # pytest does not find it again by the name it gives it, which ends with a blank.
        ("unit/test_schema.py::test_an_id_is_a_plain_text",),
    ),
    "gate": Group(
        ("learning/promotion.py", "workflows/judging.py", "workflows/deploying.py"),
        ("unit/test_promotion.py", "unit/test_judging.py", "unit/test_deploying.py"),
    ),
    "cache": Group(
        (
            "caching/clients.py",
            "caching/cluster.py",
            "caching/envelope.py",
            "caching/flights.py",
            "caching/keys.py",
            "caching/memory.py",
            "caching/remote.py",
            "caching/two_level.py",
        ),
        (
            "unit/test_cache_pieces.py",
            "unit/test_cache_places.py",
            "unit/test_cache_server.py",
            "unit/test_envelope.py",
            "adapters/test_caches.py",
            "adapters/test_caches_computing.py",
            "adapters/test_caches_two_levels.py",
        ),
        # On a busy machine some of twenty threads begin after the first has ended: a failure that is no mutant's.
        (
            "adapters/test_caches_computing.py::test_eight_processes_make_a_value_once",
            "adapters/test_caches_computing.py::test_those_who_wait_take_what_was_made_where_nothing_can_be_kept",
        ),
    ),
    "store": Group(
        (
            "adapters/model_store.py",
            "adapters/version_files.py",
            "adapters/pointers.py",
            "adapters/manifests.py",
            "adapters/quarantine.py",
            "adapters/skops_files.py",
            "strict_json.py",
        ),
        (
            "adapters/test_model_store.py",
            "adapters/test_model_store_deploying.py",
            "adapters/test_model_store_disk.py",
            "adapters/test_pointers.py",
            "adapters/test_version_files.py",
            "adapters/test_version_pieces.py",
            "unit/test_strict_json.py",
        ),
        (
            *(
                f"adapters/test_model_store.py::test_every_algorithm_comes_back_with_the_same_numbers[{name}]"
                for name in ("gradient_boosting", "extra_trees", "random_forest")
            ),
            "adapters/test_model_store_deploying.py::test_of_twenty_that_deploy_at_once_one_wins_round_after_round",
        ),
    ),
}
