"""Draws landscapes. The same title gives the same landscape; nothing of jobs is in here."""

from math import sin, tau
from random import Random
from typing import NamedTuple

WIDTH, HEIGHT = 640, 400
STEP = 16
RIDGES = {"far mountains": 0.0, "mountains": 0.3, "hills": 0.6, "woods": 0.8, "meadow": 1.0}
LAYERS = ("sky", "sun", *RIDGES, "birds")


class Mood(NamedTuple):
    """The colours of a time of day, as red, green and blue."""

    above: tuple[int, int, int]
    below: tuple[int, int, int]
    sun: tuple[int, int, int]
    far: tuple[int, int, int]
    near: tuple[int, int, int]


MOODS = (
    Mood((126, 168, 196), (247, 226, 200), (255, 248, 230), (165, 181, 196), (38, 66, 68)),
    Mood((92, 92, 140), (249, 178, 140), (255, 224, 178), (170, 128, 148), (44, 38, 66)),
    Mood((96, 160, 178), (226, 240, 226), (255, 253, 240), (142, 184, 178), (28, 74, 60)),
    Mood((24, 32, 62), (92, 108, 150), (240, 238, 220), (70, 84, 124), (12, 18, 34)),
)


def layer(title: str, name: str) -> str:
    """Draw one of `LAYERS`, as a part of an SVG."""
    mood = Random(title).choice(MOODS)  # noqa: S311 - a picture is no secret
    chance = Random(f"{title}, {name}")  # noqa: S311 - as above
    match name:
        case "sky":
            return sky(mood)
        case "sun":
            return sun(mood, chance)
        case "birds":
            return birds(mood, chance)
        case _:
            return ridge(mood, chance, RIDGES[name])


def picture(layers: list[str]) -> str:
    """Put layers together to an SVG of its own."""
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(layers)}</svg>'


def sky(mood: Mood) -> str:
    """Draw the sky, from edge to edge."""
    return (
        '<linearGradient id="sky" x2="0" y2="1">'
        f'<stop stop-color="rgb{mood.above}"/>'
        f'<stop offset=".7" stop-color="rgb{mood.below}"/></linearGradient>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#sky)"/>'
    )


def sun(mood: Mood, chance: Random) -> str:
    """Draw the sun, or the moon, with its light around it."""
    place = f'cx="{chance.randint(120, 520)}" cy="{chance.randint(80, 150)}"'
    light = "".join(f'<circle {place} r="{r}" opacity=".12"/>' for r in (96, 72, 52))
    return f'<g fill="rgb{mood.sun}">{light}<circle {place} r="34"/></g>'


def ridge(mood: Mood, chance: Random, nearness: float) -> str:
    """Draw a ridge: the nearer, the lower, the darker and the smoother."""
    base = 175 + 190 * nearness
    waves = [
        (chance.uniform(0.7, 1.3) * (46 - 30 * nearness) / n, n * tau / 420, chance.uniform(0, tau))
        for n in (1, 2, 5)
    ]
    heights = [
        (x, round(base - sum(high * sin(often * x + phase) for high, often, phase in waves)))
        for x in range(0, WIDTH + STEP, STEP)
    ]
    line = " ".join(f"{x},{y}" for x, y in heights)
    colour = tuple(round(a + (b - a) * nearness) for a, b in zip(mood.far, mood.near, strict=True))
    return f'<polygon fill="rgb{colour}" points="0,{HEIGHT} {line} {WIDTH},{HEIGHT}"/>'


def birds(mood: Mood, chance: Random) -> str:
    """Draw a flight of birds."""
    left, top = chance.randint(80, 440), chance.randint(60, 140)
    flight = "".join(
        f"M{left + chance.randint(0, 110)} {top + chance.randint(0, 50)}q5-7 9 0q4-7 9 0"
        for _ in range(chance.randint(4, 7))
    )
    return f'<path d="{flight}" fill="none" stroke="rgb{mood.near}" stroke-width="2"/>'
