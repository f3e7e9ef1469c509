"""What is drawn depends on the title alone."""

from xml.etree import ElementTree as ET

from starter.landscape import LAYERS, layer, picture


def landscape(title: str) -> str:
    return picture([layer(title, name) for name in LAYERS])


def test_a_title_always_gives_the_same_landscape() -> None:
    assert landscape("Home") == landscape("Home")
    assert landscape("Home") != landscape("Away")


def test_a_landscape_is_well_formed_and_says_nothing_of_its_title() -> None:
    drawn = landscape("</svg><script>")

    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert "script" not in drawn
