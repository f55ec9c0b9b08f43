"""Settings: what is in force, and where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import Cli

from labelkit.errors import UsageError
from labelkit.services.settings import Setting, in_force, lookup, truth
from labelkit.tui.keymap import Keymap


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    deep = tmp_path / "project" / "deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    return tmp_path / "project"


def test_flag_environment_project_user_default(folder: Path, tmp_path: Path) -> None:
    personal = tmp_path / "config" / "labelkit" / "config.toml"
    personal.parent.mkdir(parents=True)
    assert lookup("theme", "dark", env={}) == Setting("dark", "default")
    personal.write_text('theme = "ansi"')
    assert lookup("theme", "dark", env={}) == Setting("ansi", str(personal))
    (folder / "labelkit.toml").write_text('theme = "light"')
    assert lookup("theme", "dark", env={}).value == "light"
    env = {"LABELKIT_THEME": "dark"}
    assert lookup("theme", "", env=env) == Setting("dark", "LABELKIT_THEME")
    assert lookup("theme", "", env=env, flag="x") == Setting("x", "flag")


def test_every_setting_is_listed_with_its_origin(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = folder / "labelkit.toml"
    toml.write_text('theme = "light"\ncolour = 1\n[keys]\n"&" = "1"\n')
    monkeypatch.setenv("LABELKIT_LABELER", "ana")
    ran = cli("config", "list", "--show-origin")
    lines = ran.out.splitlines()
    assert f"theme\tlight\t{toml}" in lines
    assert "labeler\tana\tLABELKIT_LABELER" in lines
    assert f"keys.&\t1\t{toml}" in lines
    assert "plain\tFalse\tdefault" in lines
    assert f"nothing reads {toml}: colour" in ran.err
    found = cli("config", "list", "--json").json
    assert found["schema"] == "labelkit.config/1"
    assert found["settings"]["labeler"] == {"value": "ana", "origin": "LABELKIT_LABELER"}
    assert set(in_force()) >= {"db", "labeler", "plain", "theme", "seed_ratings"}


@pytest.mark.parametrize(
    ("word", "value"), [("1", True), ("no", False), (True, True), ("No", False)]
)
def test_yes_and_no(word: object, value: bool) -> None:
    assert truth(Setting(word, "here")) is value


def test_neither_yes_nor_no_names_its_origin() -> None:
    with pytest.raises(UsageError, match="LABELKIT_PLAIN: not yes or no: 'maybe'"):
        truth(Setting("maybe", "LABELKIT_PLAIN"))


def test_keys_for_other_keyboards() -> None:
    """AZERTY has digits behind Shift; Cyrillic layouts have no Latin letters."""
    azerty = Keymap({"&": "1", "é": "2", "quotation_mark": "3", "à": "0"})
    assert azerty.read("ampersand", "&") == "1"
    assert azerty.read("quotation_mark", '"') == "3"
    cyrillic = Keymap({"ф": "a", "Ы": "s", "f2": "v"})
    assert cyrillic.read("cyrillic_ef", "ф") == "a"
    assert cyrillic.read("x", "Ф") == "a"
    assert cyrillic.read("x", "ы") == "s"
    assert cyrillic.read("f2", None) == "v"
    assert cyrillic.read("upper_b", "B") == "b"
    assert cyrillic.read("shift+tab", None) == "shift+tab"
    assert cyrillic.read("delete", None) is None


@pytest.mark.parametrize("table", [{"x": "jump"}, {"x": 1}, {"x": ""}])
def test_a_key_that_stands_for_nothing_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="there is no such key"):
        Keymap(table)


def test_the_desk_reads_them(cli: Cli, folder: Path) -> None:
    cli("labelers", "add", "ana")
    (folder / "labelkit.toml").write_text('labeler = "ana"\n')
    assert cli.run("rank", stdin="").code == 4
    (folder / "labelkit.toml").write_text('keys = "no table"\n')
    assert cli.run("rank", "--as", "ana", stdin="").code == 2
