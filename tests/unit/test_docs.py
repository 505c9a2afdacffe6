"""What README and documentation show: every command has the options it is shown with, every link and page is there."""

import ast
import dataclasses
import inspect
import json
import re
import runpy
import shlex
import tomllib
import types
from pathlib import Path

import click
import markdown
import numpy as np
import pytest
import yaml
from PIL import Image
from trainer_samples import blob

import evaluation.cli
import generator.cli
import handforge
import trainer.cli
from generator.frame.settings import RenderSettings
from generator.hand import plausibility
from handforge.cli import main
from handforge.dataset import Instance, Sample, assemble, encode_mask, write_sample
from trainer.config import recipe_file, study

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = {
    "handforge": main,
    "hand-generator": generator.cli.main,
    "hand-trainer": trainer.cli.main,
    "hand-evaluation": evaluation.cli.main,
}

OTHERS = {".", "python", "sudo", "pip", "npm", "git", "mkdir", "cp", "export", "dask", "tensorboard", "eval", "blender"}
"""Other programs that pages show."""


def shown():
    """Each command in a block of shell, with its page; an experiment's may be of the commit that the page names."""
    for page in PAGES:
        if "experiments" in page.parts and re.search(r"(git checkout|commit) [0-9a-f]{7}", page.read_text("utf-8")):
            continue
        for block in re.findall(r"^ *```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
            plain = re.sub(
                r"<< *'?(\w+)'?\n.*?\n *\1$", "", block, flags=re.DOTALL | re.MULTILINE
            )  # without here-documents
            for line in plain.replace("\\\n", " ").splitlines():
                words = shlex.split(line.strip(), comments=True)
                if words:
                    yield pytest.param(words, id=f"{page.relative_to(ROOT)}: {' '.join(words)[:60]}")


def parsed(words):
    """Read the words of one of our commands as the command does, without doing it."""
    command: click.Command = COMMANDS[words[0]]
    shortened, rest = "..." in words, [word for word in words[1:] if word != "..."]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"{words[0]} has no command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    hidden = {name for one in command.params if getattr(one, "hidden", False) for name in one.opts}
    assert not hidden & {*rest}, "an old option"
    with click.Context(command, resilient_parsing=True) as context:
        given, extra, _ = command.make_parser(context).parse_args(list(rest))
    assert not extra or isinstance(command, click.Group), f"{extra} is too much"
    asks = {"help", "version"} & {name for name, value in given.items() if value}
    for one in command.params:
        missing = given.get(one.name) in (None, (), click.core.UNSET if hasattr(click.core, "UNSET") else None)
        assert shortened or asks or not (one.required and missing), f"{one.name} is missing"
        if isinstance(one.type, click.Choice) and not missing:
            values = given[one.name] if isinstance(given[one.name], (list, tuple)) else [given[one.name]]
            assert {*values} <= {*one.type.choices}, f"{one.name}: {values}"


def until_operator(words):
    """The words of the first command of a line of shell."""
    return words[: next((at for at, word in enumerate(words) if word in (">", "|", "&&")), len(words))]


@pytest.mark.parametrize("words", list(shown()))
def test_every_command_shown_is_one(words):
    words = until_operator(words)
    if words[0] in COMMANDS:
        parsed(words)
    elif words[0] in ("torchrun", "srun"):
        parsed([f"hand-{words[words.index('-m') + 1]}", *words[words.index("-m") + 2 :]])
    elif words[0] == "python" and words[1] != "-m":
        text = (ROOT / words[1]).read_text("utf-8")
        for word in words[2:]:
            assert not word.startswith("--") or f'"{word}"' in text, f"{words[1]} has no {word}"
    elif words[0] == "make":
        assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text("utf-8")
    else:
        assert words[0] in OTHERS, f"{words[0]} is none of our commands; name it in OTHERS if it is another's"


def test_commands_in_sentences_are_some():
    """They may be without what else is required; ``a|b`` stands for either."""
    seen = 0
    for page in PAGES:
        if "experiments" in page.parts:
            continue
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        for code in re.findall(r"`((?:handforge|hand-\w+) [^`]+)`", text):
            parsed([*until_operator(shlex.split(re.sub(r"\|\w+", "", code))), "..."])
            seen += 1
    assert seen > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page}: {target} is not there"


def test_tests_that_pages_name_are_there():
    for page in (*PAGES, ROOT / "CONTRIBUTING.md"):
        for name in re.findall(r"\btest_\w+\.py", page.read_text("utf-8")):
            assert list(ROOT.glob(f"tests/*/{name}")), f"{page}: {name}"


def test_the_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 130


def test_the_rules_say_of_the_drawn_poses_what_the_drawing_says():
    drawings = runpy.run_path(str(ROOT / "docs/explained/drawings.py"))
    assert tuple(drawings["RULES"]) == plausibility.RULES
    drawings["check"]()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_images_have_a_text_and_are_small(page):
    for text, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", page.read_text("utf-8")):
        assert len(text) > 10 and (page.parent / target).stat().st_size < 300_000, f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_json_and_python_examples_can_be_read(page):
    for kind, block in re.findall(r"```(json|python|toml)\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        {"json": json.loads, "python": ast.parse, "toml": tomllib.loads}[kind](block)


def test_the_recipe_and_the_study_that_are_shown_can_be_used(tmp_path):
    for page, load in (("train", recipe_file.load), ("study", study.load)):
        (shown,) = re.findall(r"```toml\n(.*?)```", (ROOT / f"docs/howto/{page}.md").read_text("utf-8"), re.DOTALL)
        (tmp_path / f"{page}.toml").write_text(shown)
        assert load(str(tmp_path / f"{page}.toml"))


def test_every_page_is_in_the_sites_menu():
    def pages(menu):
        for entry in menu:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else pages(value)

    listed = list(pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))
    assert sorted(listed) == sorted(str(page.relative_to(ROOT / "docs")) for page in PAGES[1:])


CARD = runpy.run_path(str(ROOT / "docs/results/card.py"))


def test_the_model_card_shows_what_was_measured():
    page = (ROOT / "docs/results/card.md").read_text("utf-8")
    assert page == CARD["filled"](page, CARD["read"]()), "run: python docs/results/card.py write"


def test_the_readme_has_the_model_cards_figures():
    readme, sets = (ROOT / "README.md").read_text("utf-8"), CARD["read"]()["sets"]
    for name, shown in (
        ("11K Hands, white background", "11K Hands, white background"),
        ("Egocentric, a clinic", "egocentric images of a clinic"),
        ("Gloves at work", "gloved hands at work"),
        ("HGR, hand and forearm", "HGR, hand and forearm"),
    ):
        card = sets[name]
        assert f"{shown} | {card['hands']} | {card['mean_iou'][0]:.3f} | {card['f1'][0]:.3f} |" in readme, name


def test_the_model_card_is_filled_from_datasets_and_a_run(tmp_path):
    """Three images: the hand of two is found exactly, the third has none and a false positive."""
    masks = [blob((160, 120), (50, 60), 20), blob((160, 120), (90, 60), 24), blob((160, 120), (40, 40), 15)]
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    records = []
    for number, (mask, tone) in enumerate(zip(masks, (0.1, 0.9, 0.5), strict=True)):
        instances = () if number == 2 else (Instance(mask, glove="latex" if number else None),)
        sample = Sample(f"{number}", np.zeros((120, 160, 3), np.uint8), instances, {"tone": tone})
        records.append(write_sample(tmp_path, sample))
    assemble(tmp_path, records, {})
    results = [
        {"image_id": i + 1, "category_id": 1, "segmentation": encode_mask(mask), "score": 0.9}
        for i, mask in enumerate(masks)
    ]
    (tmp_path / "results.json").write_text(json.dumps(results))
    found = CARD["measure"](tmp_path, tmp_path / "results.json", tmp_path / "results.json")
    assert (found["images"], found["hands"], found["tp"], found["fp"]) == (3, 2, 2, 1)
    assert found["f1"][0] == 0.8 and found["mean_iou"] == [1] and found["fp_per_empty_image"] == 1
    tones, gloves = found["groups"]["skin tone"], found["groups"]["glove"]
    assert {name: one["hands"] for name, one in tones.items()} == {
        "lighter third": 1,
        "darker third": 1,
    }
    assert {name: one["f1"][0] for name, one in gloves.items()} == {"bare": 1, "gloved": 1}
    card = {"network": {}, "sets": {"mine": found}}
    page = CARD["filled"]((ROOT / "docs/results/card.md").read_text("utf-8"), card)
    assert "| mine | 3 | 2 | 0.800 (" in page and "| mine | glove: gloved | 1 | 1.000 | 1.000 |" in page


GENERATED = runpy.run_path(str(ROOT / "docs/generated.py"))


def test_the_reference_has_every_command_with_its_example_and_every_key():
    text = GENERATED["commands"]()
    for words in (
        "handforge dataset import masks",
        "handforge frame show",
        "handforge repeat",
        "handforge settings show",
    ):
        assert re.search(f"^#+ {words}$", text, re.MULTILINE), words
    assert "```sh\nhandforge settings show varied > mine.toml\n```" in text and "\b" not in text
    for field in dataclasses.fields(RenderSettings):
        assert f"| `{field.name}` |" in GENERATED["settings"]()
    assert "| `held` | *A number from 0 to 1" in GENERATED["settings"]()
    assert "| `mask` | *`hand` or `hand+forearm` or `both`.*<br>`hand` (default) ends" in GENERATED["settings"]()
    patience = "| `saturation_patience` | *A whole number from 0 to 10,000,000, default `0`.*<br>Early stopping"
    assert patience in GENERATED["recipes"]()


def test_the_references_examples_can_be_pasted_into_a_shell():
    text = GENERATED["commands"]()
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert len(lines) > 60
    for line in lines:
        parsed(until_operator(shlex.split(line, comments=True)))
    assert "```text\nTP, FP, FN  true and false positives" in text


def test_tables_show_options_as_they_are_typed():
    page = markdown.markdown(GENERATED["commands"](), extensions=["tables"])
    assert "<td><code>--mask [hand|hand+forearm]</code></td>\n<td>What the masks cover" in page
    assert not re.search(r"<code>[^<]*(\\\||&amp;lt;)", page)
    row = GENERATED["_table"](("a", "b"), [tuple(map(GENERATED["_cell"], ("`<x|y>` or <z|", "1|2")))])
    cells = re.findall("<td>(.*)</td>", markdown.markdown(row, extensions=["tables"]))
    assert cells == ["<code>&lt;x|y&gt;</code> or &lt;z|", "1|2"]


def test_docstrings_are_shown_as_markdown():
    markdown_of = runpy.run_path(str(ROOT / "docs/docstrings.py"))["markdown"]
    text = "Open one.\n\n>>> load(1)\n2\n\n:param a: as :class:`b.C` has it.\n"
    assert markdown_of(text) == "Open one.\n\n```pycon\n>>> load(1)\n2\n```\n\n:param a: as `b.C` has it.\n"


@pytest.mark.parametrize("name", ["load_dataset", "render_dataset", "train", "evaluate", "HandDetector"])
def test_every_parameter_of_the_public_functions_is_described(name):
    public = getattr(handforge, name)
    assert [*inspect.signature(public).parameters] == re.findall(r":param (\w+):", public.__doc__)


def test_every_commands_help_has_an_example():
    def leaves(command, words):
        if not isinstance(command, click.Group):
            yield words, command.help
            return
        for name, inner in command.commands.items():
            yield from leaves(inner, f"{words} {name}")

    helps = list(leaves(main, "handforge"))
    assert len(helps) > 30
    for words, text in helps:
        assert re.search(rf"^ *{words}\b", text, re.MULTILINE), f"{words} --help has no example"


def test_every_option_says_what_it_does():
    commands: list[click.Command] = [*COMMANDS.values()]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        without = [one.name for one in command.params if isinstance(one, click.Option) and not (one.help or one.hidden)]
        assert not without, f"{command.name}: {without}"


def test_every_command_that_a_help_shows_is_one():
    """In examples, what follows two spaces says what the line does."""
    seen = 0
    commands: list[click.Command] = [*COMMANDS.values()]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        for example in re.findall(r"\x08\n((?:.+\n?)+)", inspect.cleandoc(command.help or "")):
            for line in re.findall(rf"^(?:{'|'.join(COMMANDS)}) .*", example, re.MULTILINE):
                parsed(until_operator(shlex.split(re.split(r"\s{2,}", line)[0])))
                seen += 1
    assert seen > 100


def test_marks_are_filled_and_pages_ask_no_other_host():
    class Page:
        url = "howto/render.html"

    assert GENERATED["on_page_markdown"]("a\n<!-- settings -->\n<!-- network -->\n").startswith(
        "a\n| key | values, default"
    )
    assert GENERATED["on_page_markdown"]("<!-- network -->") == "<!-- network -->"
    rules = GENERATED["on_page_markdown"]("# Working\n\n<!-- contributing -->\n")
    assert rules.count("\n# ") == 0 and "\n## Rules\n" in rules
    page = types.SimpleNamespace(url="experiments/muon.html", meta={})
    assert GENERATED["on_page_content"]("a", page) == "a" and page.meta == {"search": {"boost": 0.1}}
    shim = '<script src="https://unpkg.com/iframe-worker/shim"></script>'
    assert GENERATED["on_post_page"](shim, Page) == '<script src="../assets/worker.js"></script>'


def test_every_image_is_shown_small_and_made_by_a_script():
    pages = "".join(page.read_text("utf-8") for page in PAGES)
    told = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("Images in `docs/`:")[1].split("\n\n")[0]
    for script in (scripts := re.findall(r"`([\w/]+\.py)`", told)):
        assert any((ROOT / folder / script).is_file() for folder in ("docs", "benchmarks")), script
    assert scripts
    images = sorted((ROOT / "docs").rglob("*.webp"))
    assert images
    for image in images:
        assert image.name in pages, f"no page shows {image.name}"
        assert f"`{image.name}`" in told, f"CONTRIBUTING.md does not say which script makes {image.name}"
        assert image.stat().st_size < 2e6
        with Image.open(image) as opened:
            assert opened.convert("L").getextrema()[1] > 200, f"{image.name} is dark: was its background see-through?"
