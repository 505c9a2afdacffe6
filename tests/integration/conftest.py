"""What several tests look at: a dataset of discs, small recipes, a run, an untrained network, two photographs."""

import pytest


@pytest.fixture(scope="session")
def blobs(tmp_path_factory):
    from trainer_samples import write_blobs

    return write_blobs(tmp_path_factory.mktemp("blobs") / "data")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    from trainer_samples import write_recipe

    return write_recipe(tmp_path_factory.mktemp("recipe") / "tiny.toml")


@pytest.fixture(scope="session")
def quick(tmp_path_factory):
    """The tiny recipe with one step a session."""
    from trainer_samples import TINY, write_recipe

    text = TINY.replace("steps = 4", "steps = 1").replace("warmup_steps = 2", "")
    return write_recipe(tmp_path_factory.mktemp("quick") / "quick.toml", text)


@pytest.fixture(scope="session")
def unbroken(blobs, tiny, tmp_path_factory):
    """A run of the tiny recipe that nothing disturbed."""
    from trainer_samples import repeat

    out = tmp_path_factory.mktemp("unbroken") / "run"
    done = repeat(tiny, blobs, out)
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """An untrained network; with scores around a half it "finds" plenty."""
    from trainer_samples import untrained

    return untrained(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def shots(tmp_path):
    """A folder with two photographs, a.jpg and b.jpg."""
    from annotation_samples import save

    for name in ("a.jpg", "b.jpg"):
        save(tmp_path / "shots" / name)
    return tmp_path / "shots"
