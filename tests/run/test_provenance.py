"""What a run records of its installation."""

import platform

from nasdqn_fast._core import cpu
from nasdqn_fast.run import provenance


def test_versions_and_target_are_recorded():
    facts = provenance.build_facts()
    assert facts["python"].endswith(platform.python_version())
    assert facts["cpu_target"] == cpu.current()
    assert set(provenance.PACKAGES) <= set(facts)


def test_the_cores_digest_is_that_of_all_its_modules(tmp_path, monkeypatch):
    """Oracle: any change to any of them changes it."""
    modules = [tmp_path / f"{name}{provenance.EXTENSION_SUFFIXES[0]}" for name in ("agent", "cpu")]
    for module in modules:
        module.write_bytes(b"code")
    monkeypatch.setattr(cpu, "__file__", str(modules[1]))

    def digest():
        provenance._installed.cache_clear()  # as in another process
        return provenance.build_facts()["core"]

    before = digest()
    assert digest() == before
    for module in modules:
        module.write_bytes(b"other code")
        assert digest() != before
        module.write_bytes(b"code")


def test_the_installed_core_has_a_digest_of_something():
    empty = provenance._digest([])
    assert provenance.build_facts()["core"] != empty


def test_a_numpy_without_vector_code_of_its_own_is_told(monkeypatch):
    """NumPy leaves out what is empty."""
    for extensions in ({"SIMD Extensions": {"baseline": ["X86_V2"]}}, {}):
        monkeypatch.setattr("numpy.show_config", lambda mode, extensions=extensions: extensions)
        provenance._installed.cache_clear()
        assert provenance.build_facts()["numpy_simd"] == "none"
    provenance._installed.cache_clear()
