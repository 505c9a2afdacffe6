"""`settings show` and `recipes show`: every key with its comment, read back as what was shown."""

import dataclasses
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from trainer_samples import write_recipe

from generator.frame import settings
from generator.frame.settings import RenderSettings
from handforge import commented_toml
from handforge.cli import main
from trainer.config import recipe_file
from trainer.config.recipe import ImageSettings, Network, Recipe, Session

ROOT = Path(__file__).parents[2]


def show(*words):
    """What a command prints."""
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("cls", [RenderSettings, Recipe, Session, Network, ImageSettings])
def test_every_field_has_a_docstring_of_plain_text(cls):
    docs = commented_toml.field_docs(cls)
    assert list(docs) == [field.name for field in dataclasses.fields(cls)]
    assert not any("``" in text or ":mod:" in text or "\n" in text for text in docs.values())


@pytest.mark.parametrize("name", settings.PRESETS)
def test_settings_that_are_shown_are_read_back(name, tmp_path):
    text = show("settings", "show", name)
    (tmp_path / "mine.toml").write_text(text)
    assert settings.load(tmp_path / "mine.toml") == settings.load(Path(name))
    for key in RenderSettings.names():
        line = next(i for i, line in enumerate(text.splitlines()) if line.removeprefix("# ").startswith(f"{key} ="))
        assert text.splitlines()[line - 1].startswith("# ")


def test_paths_and_tables_of_a_file_are_read_back_from_another_folder(tmp_path):
    (tmp_path / "own.toml").write_text('backgrounds = "my \\"rooms\\""\nshape = {thumb = 0.9}\ndistance = 0.5\n')
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine.toml").write_text(show("settings", "show", tmp_path / "own.toml"))
    assert settings.load(tmp_path / "other/mine.toml") == settings.load(tmp_path / "own.toml")
    assert settings.load(tmp_path / "other/mine.toml").backgrounds == str(tmp_path / 'my "rooms"')


@pytest.mark.parametrize("name", recipe_file.shipped())
def test_recipes_that_are_shown_are_read_back(name, tmp_path):
    path = write_recipe(tmp_path / f"{name}.toml", show("recipes", "show", name))
    assert recipe_file.load(str(path)) == recipe_file.load(name)
    top = tomllib.loads(path.read_text())
    assert set(top["network"]) == {field.name for field in dataclasses.fields(Network)}
    assert not top.get("session") or set(top["session"]) == {field.name for field in dataclasses.fields(Session)}


@pytest.mark.parametrize(
    ("file", "words"),
    [("settings.toml", ("settings", "show", "varied")), ("recipe.toml", ("recipes", "show", "cpu-real"))],
)
def test_the_examples_are_what_the_commands_show(file, words):
    stored = (ROOT / "examples" / file).read_text("utf-8")
    assert stored == show(*words), f"run: handforge {' '.join(words)} > examples/{file}"


def test_what_cannot_be_shown_is_said():
    done = CliRunner().invoke(main, ["settings", "show", "nonesuch"])
    assert done.exit_code == 2 and "nonesuch is neither a preset (paper," in done.stderr
    done = CliRunner().invoke(main, ["recipes", "show", "cpu-rael"])
    assert done.exit_code == 2 and "did you mean cpu-real?" in done.stderr


def test_presets_are_listed_with_what_they_are_for():
    lines = show("settings").splitlines()
    assert [line.split()[0] for line in lines] == list(settings.PRESETS)
    assert all(len(line) > 40 for line in lines)
