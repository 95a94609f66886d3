#!/usr/bin/env python3
"""Makes the contact sheets and tables of docs/quality.md from the pictures in examples/. Takes about fifteen minutes on two
cores.

needs: pip install pillow
usage: sheets.py FOLDER [--impasto FILE] [--only NAME,...]

Writes FOLDER/strengths.jpg, sizes.jpg and objectives.jpg, and the single pictures beside them. Prints a Markdown table for each
sheet.
"""

import argparse
import json
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

# Each sheet's name, with the width of a cell in px and the rows. A row is a list of (content, style, arguments).
PAIRS = [("astronaut", "starry_night"), ("coffee", "starry_night"), ("chelsea", "gravel")]
SHEETS = {
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
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SHEETS), metavar="NAME,...")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in args.only:
        width, rows = SHEETS[name]
        print(f"\n{name}\n\n| pair | arguments | content | style | seconds |\n|---|---|---|---|---|")
        pictures = [[make(args, name, *cell) for cell in row] for row in rows]
        sheet(pictures, width).save(args.folder / f"{name}.jpg", quality=88)


def make(args, sheet_name, content, style, arguments):
    """Makes a picture with the program, and prints its losses in units."""
    slug = "-".join([sheet_name, content, style, *arguments.replace("--", "").split()])
    output = args.folder / f"{slug}.png"
    command = [args.impasto, EXAMPLES / f"{content}.jpg", EXAMPLES / f"{style}.jpg", "-o", output, "--json", "--quiet"]
    run = subprocess.run([*map(str, command), *arguments.split()], stdout=subprocess.PIPE, check=True)
    report = json.loads(run.stdout)
    # The paper's objective reports raw losses, and these have no common unit.
    units = ["-", "-"] if "paper" in arguments else [f"{report[key]:.3f}" for key in ("content_in_units", "style_in_units")]
    print(f"| {content}, {style} | `{arguments}` | {units[0]} | {units[1]} | {report['seconds']:.0f} |", flush=True)
    return output, arguments


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
