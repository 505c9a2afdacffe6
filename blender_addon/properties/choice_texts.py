"""Tooltips of the choices that settings of the generator have in the panel: a sentence for each word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..viewport_ui import title

CHOICE_TEXTS: dict[str, dict[str, str]] = {
    "scene": {
        "plain": "The hand alone, before white or near-white",
        "indoor": "Indoor scenes: light, table or wall, objects, sleeves, shadows, blur and noise, all drawn at random",
    },
    "elbow": {"straight": "Arms are straight", "random": "60 % of the arms are bent; in indoor scenes only"},
    "glove": {
        "none": "Bare hands",
        "some": "A glove of any kind on one hand in eight",
        "random": "A glove of any kind on every hand",
        "nitrile": "Thin disposable gloves, mostly blue or black",
        "latex": "Thin disposable gloves, mostly pale",
        "vinyl": "Loose disposable gloves, half clear",
        "surgical": "Thin sterile gloves with a long cuff",
        "household": "Rubber gloves for the kitchen",
        "dipped": "Knitted work gloves with a palm of rubber",
        "leather": "Leather work gloves",
        "welding": "Thick leather gloves with a long cuff",
        "knitted": "Knitted winter gloves",
        "cotton": "Thin white cotton gloves",
        "ski": "Padded winter gloves",
        "motorcycle": "Leather gloves with guards",
        "gardening": "Cloth gloves for the garden",
        "fingerless": "Gloves that leave the fingertips bare",
    },
    "adornments": {
        "none": "Bare skin",
        "random": "Rings, nails, tattoos, dirt, paint, plasters on some hands; in indoor scenes only",
    },
    "num_hands": {"1": "One hand", "2": "A hand of either side", "random": "Two hands in half of the images"},
    "light": {
        "front": "From above the camera, as in the paper",
        "random": "From anywhere on the camera's side, harder or softer, warmer or cooler",
        "mixed": "As Random, with a flash in part of the indoor scenes",
    },
    "background": {"white": "Exactly white", "random": "One near-white tone for each image"},
    "sleeve": {"none": "Bare arms; indoor scenes have sleeves of their own", "random": "Most arms wear a sleeve"},
    "sensor": {
        "clean": "No blur and no noise; indoor scenes always have them",
        "random": "Blur, noise and JPEG compression",
    },
    "environment": {
        "objects": "A table or wall with objects on it",
        "random": "Also furnished interiors, people, plain and dark walls, strong colours and those of skin",
    },
    "distractors": {
        "none": "Nothing that looks like skin",
        "random": "Heads, limbs and objects in the colours of skin",
    },
    "occluders": {"none": "Nothing before the hand", "random": "Pencils, cords, cups and cards before some hands"},
    "empty_kind": {
        "any": "Any of these",
        "feet": "Bare feet",
        "arms": "Arms without their hands",
        "people": "People whose hands are not seen",
        "food": "Food in the colours of skin",
        "objects": "Objects of leather and wood, and dolls",
        "interior": "Rooms without people",
    },
    "exposure": {"metered": "As a camera meters it", "random": "Also darker, brighter, tinted and blurred images"},
    "distance": {
        "random": "0.45 to 1.1 m, the hand moved and rotated within the image",
        "close": "As people photograph hands: the hand fills much of the image",
    },
    "focal_mm": {"random": "26 to 75 mm"},
    "truth": {
        "depth": "How far each pixel is from the camera",
        "normals": "Which way the surface faces at each pixel",
        "parts": "Which part of the hand each pixel shows",
        "keypoints3d": "The 21 joints in space, in metres",
    },
}


def explained(words: Iterable[str], texts: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Choices of an EnumProperty, in title case, with a sentence for each."""
    return [(word, title(word), texts[word]) for word in words]
