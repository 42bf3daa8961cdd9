"""Train the GPT of chapter 13 and keep it, with how it was made, in course/data/gpt.safetensors.

    python scripts/train_gpt.py          # in course/; some ten minutes on one core
    python scripts/train_gpt.py --steps 1000 --out /tmp/gpt.safetensors

The model is the chapter's own: its cells tagged "model" are run here, so the two cannot differ.
"""

import argparse
import datetime
import math
import sys
import time
from pathlib import Path

import jupytext
import numpy as np

COURSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(COURSE), str(COURSE.parent)]

from kit.data import DATA, novel  # noqa: E402

import minitensor as mt  # noqa: E402

SOURCE = COURSE / "sources" / "13_attention_and_a_small_gpt.py"
SIZES = {"width": 96, "heads": 6, "layers": 3, "context": 64}
SAMPLED = (1, 100, 300, 1000)  # steps at which it writes a little; and at the end
SAMPLE_LENGTH = 150


def chapter_cells():
    """Return the names that the chapter's model cells define."""
    names = {"math": math, "np": np, "mt": mt, "nn": mt.nn, "F": mt.nn.functional}
    for cell in jupytext.reads(SOURCE.read_text(encoding="utf-8"), fmt="py:percent").cells:
        if "model" in cell.metadata.get("tags", []):
            exec(compile(cell.source, str(SOURCE), "exec"), names)
    return names


class Watch:
    """Notes the losses, and lets the model write, while it learns."""

    def __init__(self, names, model, held_out, letters, last):
        self.names, self.model, self.held_out = names, model, held_out
        self.letters, self.last = letters, last
        self.recent, self.losses, self.samples = [], [], {}
        self.started = time.process_time()

    def __call__(self, step, loss):
        self.recent.append(loss)
        if step in (*SAMPLED, self.last):
            start, draw = [self.letters.index("\n")], np.random.default_rng(3)
            codes = self.names["write"](self.model, start, SAMPLE_LENGTH, draw, calm=0.8)
            self.samples[str(step)] = "".join(self.letters[code] for code in codes[1:])
        if step == 1 or step % 100 == 0 or step == self.last:
            held_out = self.names["evaluate"](self.model, self.held_out)
            self.losses.append([step, round(sum(self.recent) / len(self.recent), 3),
                                round(held_out, 3)])  # fmt: skip
            self.recent = []
            seconds = time.process_time() - self.started
            print(*self.losses[-1], f"{seconds:.0f} s of processor time", flush=True)


def train(steps, seed):
    """Return everything that is kept of a run."""
    names, text = chapter_cells(), novel()
    letters = sorted(set(text))
    data = np.array([letters.index(letter) for letter in text])
    learn, held_out = np.split(data, [len(data) * 9 // 10])
    mt.manual_seed(seed)
    sizes = {"letters": len(letters), **SIZES}
    model = names["GPT"](**sizes)
    watch = Watch(names, model, held_out, letters, steps)
    names["train_gpt"](model, learn, steps, seed=seed, watch=watch)
    about = {
        "command": "python scripts/train_gpt.py " + " ".join(sys.argv[1:]),
        "date": datetime.date.today().isoformat(),
        "seed": seed,
        "steps": steps,
        "loss held out": watch.losses[-1][2],
        "seconds of processor time": round(time.process_time() - watch.started),
        "text": "data/persuasion.txt, its first nine tenths",
        "minitensor": mt.__version__,
        "numpy": np.__version__,
    }
    return {
        "model": model.state_dict(), "sizes": sizes, "about": about,
        "losses": watch.losses, "samples": watch.samples,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description="Train the GPT of chapter 13.")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default=str(DATA / "gpt.safetensors"))
    arguments = parser.parse_args()
    kept = train(arguments.steps, arguments.seed)
    mt.save(kept, arguments.out)
    print(f"{arguments.out}: {kept['about']}")


if __name__ == "__main__":
    main()
