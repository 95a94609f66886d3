#!/usr/bin/env python3
"""Makes the contact sheets and tables of docs/quality.md from the pictures in examples/. Takes about half an hour on two cores.

needs: pip install pillow numpy
usage: sheets.py FOLDER [--impasto FILE] [--before FILE] [--only NAME,...]

Writes a sheet FOLDER/NAME.jpg for each NAME, and the single pictures beside them. Prints a Markdown table for each sheet. The sheet
`before` compares two programs: --before is the one on the left.

`specks` is the part of the pixels, in percent, whose luma is more than 30 levels from the median of their 3x3 neighbours.
"""

import argparse
import json
import resource
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

# Each sheet's name, with the width of a cell in px and the rows. A row is a list of (content, style, arguments).
PAIRS = [("astronaut", "starry_night"), ("coffee", "starry_night"), ("chelsea", "gravel")]
MORE_PAIRS = [("chelsea", "starry_night"), ("coffee", "brick"), ("astronaut", "grass")]
COMPARED = "--size 256 --steps 80"
SHEETS = {
    "before": (288, [[(*pair, COMPARED)] for pair in PAIRS + MORE_PAIRS]),
    "brush": (320, [
        [(*pair, f"--brush {brush} --size 320 --steps 80") for brush in (0, 50, 100)] for pair in PAIRS
    ]),
    "strokes": (420, [
        [(*pair, f"--size 384 --style-loss {loss}") for loss in ("moments", "strokes")] for pair in PAIRS[:2]
    ]),
    "strengths": (256, [
        [(*pair, f"--strength {strength} --size 320 --steps 80") for strength in (0, 25, 50, 75, 100)] for pair in PAIRS
    ]),
    "sizes": (420, [
        [("astronaut", "starry_night", f"--size {size} --upscale") for size in (256, 512, 1024)],
    ]),
    "objectives": (320, [
        [(*pair, arguments) for arguments in (
            "--size 320 --steps 80",
            "--size 320 --steps 80 --style-loss gram",
            "--size 320 --steps 80 --scales 1 --content-layers relu4_2 --padding zero",
            "--size 320 --steps 80 --objective paper",
        )] for pair in PAIRS[:1]
    ]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--impasto", type=Path, default=ROOT / "target" / "release" / "impasto", metavar="FILE")
    parser.add_argument("--before", type=Path, metavar="FILE", help="program that the sheet `before` compares with")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SHEETS), metavar="NAME,...")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in args.only:
        width, rows = SHEETS[name]
        if name == "before" and args.before is None:
            print("\nbefore is left out: it needs --before FILE")
            continue
        print(f"\n{name}\n\n| pair | arguments | content | style | specks | CPU seconds |\n|---|---|---|---|---|---|")
        if name == "before":
            pictures = [compared(args, *row[0]) for row in rows]
        else:
            pictures = [[make(args.impasto, args.folder, name, *cell) for cell in row] for row in rows]
        sheet(pictures, width).save(args.folder / f"{name}.jpg", quality=85)


def compared(args, content, style, arguments):
    """Makes a pair with both programs. Returns both pictures, and a part of each at 200 %."""
    row, parts = [], []
    for label, program in (("before", args.before), ("now", args.impasto)):
        path, _ = make(program, args.folder, label, content, style, arguments)
        picture = Image.open(path).convert("RGB")
        width, height = picture.size
        left, top = width // 4, height // 5
        part = picture.crop((left, top, left + SHEETS["before"][0] // 2, top + round(SHEETS["before"][0] * height / width / 2)))
        parts.append(path.with_name(f"part-{path.name}"))
        part.resize((2 * part.width, 2 * part.height), Image.NEAREST).save(parts[-1])
        row.append((path, label))
    return row + [(path, f"{label}, 200 %") for path, (_, label) in zip(parts, row)]


def make(program, folder, sheet_name, content, style, arguments):
    """Makes a picture with the program, and prints its losses in units, its specks and the time of all its threads."""
    slug = "-".join([sheet_name, content, style, *arguments.replace("--", "").split()])
    output = folder / f"{slug}.png"
    command = [program, EXAMPLES / f"{content}.jpg", EXAMPLES / f"{style}.jpg", "-o", output, "--json", "--quiet"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([*map(str, command), *arguments.split()], stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    report = json.loads(run.stdout)
    # The paper's objective reports raw losses, and these have no common unit.
    units = ["-", "-"] if "paper" in arguments else [f"{report[key]:.3f}" for key in ("content_in_units", "style_in_units")]
    cells = [f"{content}, {style}", f"{sheet_name} `{arguments}`", *units, f"{specks(output):.2f}", f"{seconds:.0f}"]
    print(f"| {' | '.join(cells)} |", flush=True)
    return output, arguments


def specks(path):
    """Returns the part of the pixels that stand out from their neighbours, in percent."""
    luma = Image.open(path).convert("L")
    median = luma.filter(ImageFilter.MedianFilter(3))
    return 100 * float((np.abs(np.asarray(luma, float) - np.asarray(median, float)) > 30).mean())


def sheet(rows, width):
    """Lays out the pictures in rows, each `width` px wide, with its arguments above."""
    caption = 14
    cells = []
    for row in rows:
        cells.append([])
        for path, arguments in row:
            picture = Image.open(path).convert("RGB")
            picture = picture.resize((width, round(picture.height * width / picture.width)), Image.LANCZOS)
            cells[-1].append((picture, arguments))
    heights = [max(picture.height for picture, _ in row) + caption for row in cells]
    page = Image.new("RGB", (width * max(map(len, cells)), sum(heights)), "white")
    draw = ImageDraw.Draw(page)
    top = 0
    for row, height in zip(cells, heights):
        for column, (picture, arguments) in enumerate(row):
            draw.text((column * width + 3, top + 1), arguments.replace("--", "")[: width // 6], fill="black")
            page.paste(picture, (column * width, top + caption))
        top += height
    return page


if __name__ == "__main__":
    main()
