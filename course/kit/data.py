"""Data that ships with the course. Source and licence stand beside each file, in course/data/."""

import csv
from pathlib import Path

import numpy as np

import minitensor as mt

DATA = Path(__file__).resolve().parents[1] / "data"


def penguins():
    """Return the flipper lengths in mm and the masses in g of 342 penguins.

    Two float32 arrays of shape (342,). Two of the file's 344 birds were not measured,
    and are left out. See data/penguins.md.
    """
    with open(DATA / "penguins.csv", newline="", encoding="utf-8") as file:
        birds = [row for row in csv.DictReader(file) if row["flipper_length_mm"] != "NA"]
    columns = ("flipper_length_mm", "body_mass_g")
    flipper, mass = ([float(bird[column]) for bird in birds] for column in columns)
    return np.array(flipper, np.float32), np.array(mass, np.float32)


def digits():
    """Return 1,797 images of handwritten digits, and which digit each one is.

    A float32 array of shape (1797, 8, 8), from 0 (paper) to 1 (full ink), and an int64 array of
    shape (1797,). In the order of the file: form after form. See data/digits.csv.md.
    """
    lines = np.loadtxt(DATA / "digits.csv.gz", delimiter=",", dtype=np.int64)
    return (lines[:, :-1].reshape(-1, 8, 8) / 16).astype(np.float32), lines[:, -1].copy()


def novel():
    """Return the text of Jane Austen's Persuasion, 466,854 characters. See data/persuasion.md."""
    return (DATA / "persuasion.txt").read_text(encoding="ascii")


def trained_gpt():
    """Return what scripts/train_gpt.py kept, a dict: `model`, the parameters by name; `sizes`;
    `about`, how it was made; `losses`, rows of (step, train, held out); `samples`, by step.
    """
    return mt.load(DATA / "gpt.safetensors")
