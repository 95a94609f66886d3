#!/usr/bin/env python3
"""Compares whole runs, PyTorch's L-BFGS and impasto, on this machine's CPU. Prints a Markdown table.

time: both minimise the source paper's objective from the content picture. The table says how long impasto takes until
its total loss is as low as PyTorch's.

tradeoff: PyTorch has weights that are in wide use, impasto its own objective at several strengths. The table has the
content and style loss of the finished pictures. It says whether impasto has both lower in a tenth of the time.

Both programs read the same resized pixels from the same PNG files. They have the same network and number of threads.
"""

import argparse
import json
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Importing compare.py must not leave byte code in the source tree.
sys.dont_write_bytecode = True
import compare  # noqa: E402
from compare import CONTENT_LAYER, ROOT, STYLE_LAYERS, positive  # noqa: E402

PACKAGES = {**compare.PACKAGES, "PIL": "pillow"}
HISTORY = 100
EXAMPLES = [("astronaut", "starry_night"), ("coffee", "gravel"), ("chelsea", "brick")]


def main():
    if sys.argv[1:2] == ["--worker"]:
        # The script calls itself with the virtual environment's interpreter.
        job = json.loads(sys.argv[2])
        worker = {"prepare": prepare_worker, "descend": descend_worker, "measure": measure_worker}[job["worker"]]
        print(json.dumps(worker(job)))
        return
    args = arguments()
    if not args.impasto.is_file():
        sys.exit(f"{args.impasto} is missing; run `cargo build --release` first")
    pairs = [(args.content, args.style)] if args.command == "time" else args.pairs
    for path in sum(pairs, ()):
        if not path.is_file():
            sys.exit(f"{path} is not a file")
    args.python = compare.environment(args.venv, PACKAGES)
    args.threads = args.threads or compare.available_cores()
    # PyTorch's threads spin while they wait for each other. Other work on the cores makes it several times slower.
    load = os.getloadavg()[0]
    if load > compare.available_cores() / 2:
        say(f"the machine is busy (load {load:.1f}). This slows PyTorch down most, and its seconds mean nothing")
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        args.run(args, args.keep.absolute())
    else:
        with tempfile.TemporaryDirectory() as folder:
            args.run(args, Path(folder))


def arguments():
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--threads", type=positive, metavar="N", help="threads of both programs (default: one for each core)")
    common.add_argument("--venv", type=Path, default=compare.cache() / "impasto-peer", metavar="FOLDER",
                        help="virtual environment outside the project. If it is missing, it is made, and torch, numpy and pillow "
                             "are installed from PyPI (default: impasto-peer in the user's cache folder)")
    common.add_argument("--impasto", type=Path, default=ROOT / "target" / "release" / "impasto", metavar="FILE",
                        help="the program to measure (default: target/release/impasto)")
    common.add_argument("--impasto-args", type=shlex.split, default=[], metavar="'ARG ...'",
                        help="more arguments for every run of impasto, as in --impasto-args='--steps 50'")
    common.add_argument("--keep", type=Path, metavar="FOLDER",
                        help="folder that keeps the pictures and PyTorch's losses by step (default: a temporary folder)")

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("time", parents=[common], help="seconds until the paper's objective has the same loss")
    command.set_defaults(run=time_to_loss)
    command.add_argument("content", type=Path, metavar="CONTENT")
    command.add_argument("style", type=Path, metavar="STYLE")
    command.add_argument("--size", type=positive, default=512, metavar="PX", help="longest side (default: 512)")
    command.add_argument("--steps", type=positive, default=300, metavar="N", help="PyTorch's steps (default: 300)")
    command.add_argument("--content-weight", type=float, default=1.0, metavar="ALPHA", help="alpha of both programs (default: 1)")
    command.add_argument("--style-weight", type=float, default=1e-3, metavar="BETA", help="beta of both programs (default: 1e-3)")
    command.add_argument("--ladder", type=whole_numbers, default=whole_numbers("25,50,75,100,150,200,300"), metavar="N,...",
                         help="steps of impasto's runs. The first run that reaches PyTorch's loss counts "
                              "(default: 25,50,75,100,150,200,300)")

    command = commands.add_parser("tradeoff", parents=[common], help="content and style loss of finished pictures")
    command.set_defaults(run=tradeoff)
    examples = [tuple(ROOT / "examples" / f"{name}.jpg" for name in names) for names in EXAMPLES]
    command.add_argument("--pairs", type=pair, nargs="+", default=examples, metavar="CONTENT:STYLE",
                         help=f"pictures (default, from examples/: {', '.join(':'.join(names) for names in EXAMPLES)})")
    command.add_argument("--size", type=positive, default=256, metavar="PX", help="longest side (default: 256)")
    command.add_argument("--steps", type=positive, default=500, metavar="N", help="PyTorch's steps (default: 500)")
    command.add_argument("--strengths", type=lambda text: text.split(","), default=["25", "50", "75"], metavar="S,...",
                         help="strengths of impasto's runs, one run each (default: 25,50,75)")
    command.add_argument("--strength-option", default="--strength", metavar="OPTION",
                         help="impasto's option for them, as in --strength-option=--content-weight (default: --strength)")
    return parser.parse_args()


def whole_numbers(text):
    return sorted({positive(word) for word in text.split(",")})


def pair(text):
    names = text.split(":")
    if len(names) != 2 or not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a pair; give one as photo.jpg:painting.jpg")
    return tuple(map(Path, names))


def time_to_loss(args, folder):
    prepared = worker(args, "prepare", content=str(args.content), style=str(args.style), size=args.size, folder=str(folder))
    say(f"{prepared['width']}x{prepared['height']}, PyTorch")
    found = worker(args, "descend", objective="paper", alpha=args.content_weight, beta=args.style_weight, steps=args.steps,
                   picture=str(folder / "torch.png"), folder=str(folder))
    (folder / "torch.json").write_text(json.dumps(found))
    losses, seconds = found["losses"], found["seconds"]
    last, lowest = len(losses) - 1, lowest_step(losses)

    runs = []
    options = ["--objective", "paper", "--content-weight", args.content_weight, "--style-weight", args.style_weight]
    # Versions with `--tolerance` may stop early. A tolerance of 0 makes them run all `--steps`.
    if has_option(args.impasto, "--tolerance"):
        options += ["--tolerance", "0"]
    for steps in args.ladder:
        run = run_impasto(args, prepared, folder, f"impasto-{steps}.png", [*options, "--steps", steps])
        runs.append(run)
        say(f"impasto, {run['steps']} steps: total loss {run['total_loss']:.4e}, PyTorch's lowest {losses[lowest]:.4e}")
        if run["total_loss"] <= losses[lowest]:
            break
    pictures = [folder / "torch.png", *(run["picture"] for run in runs)]
    measured = worker(args, "measure", folder=str(folder), pictures=[str(picture) for picture in pictures],
                      alpha=args.content_weight, beta=args.style_weight)["pictures"]
    written = {str(picture): values["paper"] for picture, values in zip(pictures, measured)}

    print(f"{environment_line(args, found)}; {args.content.stem}:{args.style.stem}, {prepared['width']}x{prepared['height']}, "
          f"alpha {args.content_weight:g}, beta {args.style_weight:g}; total loss of the content picture {losses[0]:.4e}\n")
    print("| program | steps | seconds | total loss | of the written picture | PyTorch's seconds / impasto's |")
    print("|---|---|---|---|---|---|")
    targets = [(lowest, "" if lowest == last else ", its lowest loss")]
    if lowest != last:
        targets.append((last, ", its last loss"))
    for step, note in targets:
        own = f"{written[str(folder / 'torch.png')]:.4e}" if step == lowest else "-"
        print(f"| PyTorch{note} | {step} | {seconds[step]:.1f} | {losses[step]:.4e} | {own} | |")
        if not math.isfinite(losses[step]):
            continue
        run = next((run for run in runs if run["total_loss"] <= losses[step]), None)
        name = "impasto" if not note else f"impasto, as low as{note[1:]}"
        if run is None:
            print(f"| {name} | not reached in {runs[-1]['steps']} | {runs[-1]['wall']:.1f} | {runs[-1]['total_loss']:.4e} | "
                  f"{written[str(runs[-1]['picture'])]:.4e} | - |")
        else:
            print(f"| {name} | {run['steps']} | {run['wall']:.1f} | {run['total_loss']:.4e} | "
                  f"{written[str(run['picture'])]:.4e} | {seconds[step] / run['wall']:.2f} |")
    if not math.isfinite(losses[last]):
        print(f"\nPyTorch's loss was not a finite number after step {last}, and its run ended there.")


def tradeoff(args, folder):
    rows, shares, found = [], [], None
    for number, (content, style) in enumerate(args.pairs, start=1):
        place = folder / f"{number}-{content.stem}-{style.stem}"
        place.mkdir(exist_ok=True)
        prepared = worker(args, "prepare", content=str(content), style=str(style), size=args.size, folder=str(place))
        name = f"{content.stem}:{style.stem}, {prepared['width']}x{prepared['height']}"
        say(f"{name}, PyTorch")
        found = worker(args, "descend", objective="popular", steps=args.steps, picture=str(place / "torch.png"), folder=str(place))
        (place / "torch.json").write_text(json.dumps(found))
        losses, last, lowest = found["losses"], len(found["losses"]) - 1, lowest_step(found["losses"])
        note = "" if lowest == last else f", step {lowest} of {last}"
        note += "" if math.isfinite(losses[last]) else f", where its loss is {losses[last]}"
        entries = [(f"PyTorch{note}", place / "torch.png", found["seconds"][lowest] + found["write_seconds"])]
        for strength in args.strengths:
            say(f"{name}, impasto {args.strength_option} {strength}")
            run = run_impasto(args, prepared, place, f"impasto-{strength}.png", [args.strength_option, strength])
            entries.append((f"impasto {args.strength_option} {strength}", run["picture"], run["wall"]))
        measured = worker(args, "measure", folder=str(place), pictures=[str(entry[1]) for entry in entries])["pictures"]
        peer, peer_seconds = measured[0], entries[0][2]
        best = False
        for index, ((program, _, seconds), values) in enumerate(zip(entries, measured)):
            cells = [name, program, f"{values['content']:.4f}", f"{values['style']:.5f}", f"{seconds:.1f}"]
            if index == 0:
                cells += ["", ""]
            else:
                lower = values["content"] < peer["content"] and values["style"] < peer["style"]
                fast = seconds <= peer_seconds / 10
                best = best or (lower and fast)
                cells += ["yes" if lower else "no", f"{peer_seconds / seconds:.1f}"]
            rows.append(cells)
        shares.append((name, best))
    print(f"{environment_line(args, found)}; {args.steps} steps of PyTorch\n")
    print("| pair | program | content | style | seconds | both lower | PyTorch's seconds / impasto's |")
    print("|---|---|---|---|---|---|---|")
    for cells in rows:
        print(f"| {' | '.join(cells)} |")
    print("\n| pair | some strength has both lower in a tenth of the time |\n|---|---|")
    for name, best in shares:
        print(f"| {name} | {'yes' if best else 'no'} |")


def worker(args, name, **job):
    """Runs a worker in a process of its own and returns what it prints."""
    job.update(worker=name, threads=args.threads)
    return compare.run([args.python, __file__, "--worker", json.dumps(job)])


def run_impasto(args, prepared, folder, name, options):
    """Returns the report of a run. Adds `wall`, the seconds of the whole program, and `picture`, its path."""
    picture = folder / name
    command = [args.impasto, folder / "content.png", folder / "style.png", "--output", picture, "--json", "--quiet",
               "--size", max(prepared["width"], prepared["height"]), "--threads", args.threads, *options, *args.impasto_args]
    start = time.perf_counter()
    report = compare.run(command)
    report["wall"] = time.perf_counter() - start
    report["picture"] = picture
    if report["size"] != [prepared["width"], prepared["height"]]:
        sys.exit(f"impasto made {report['size']} of {prepared}; both must have the same size to be compared")
    return report


def has_option(program, option):
    text = subprocess.run([str(program), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.search(rf"{re.escape(option)}(?![\w-])", text) is not None


def lowest_step(losses):
    """Returns the step with the lowest finite loss. There is always one, because the start is finite."""
    return min((step for step, loss in enumerate(losses) if math.isfinite(loss)), key=lambda step: losses[step])


def environment_line(args, found):
    return f"{compare.cpu()}, {args.threads} threads; PyTorch {found['version']}"


def say(text):
    print(text, file=sys.stderr, flush=True)


def prepare_worker(job):
    """Writes the resized pictures that both programs read.

    The longest side of the content is `size`, or its own if that is smaller. The style gets the same longest side.
    """
    from PIL import Image, ImageOps

    content = ImageOps.exif_transpose(Image.open(job["content"])).convert("RGB")
    longest = min(job["size"], max(content.size))
    for name, picture in [("content", content), ("style", ImageOps.exif_transpose(Image.open(job["style"])).convert("RGB"))]:
        scale = longest / max(picture.size)
        size = [max(1, round(side * scale)) for side in picture.size]
        if min(size) < 16:
            sys.exit(f"{job[name]} would be {size[0]}x{size[1]}; every side needs at least 16 px")
        resized = picture.resize(size, Image.LANCZOS)
        resized.save(Path(job["folder"]) / f"{name}.png")
        if name == "content":
            width, height = resized.size
    return {"width": width, "height": height}


def descend_worker(job):
    """Runs L-BFGS from the content picture without line search. Returns `losses` and `seconds` of every step, the start first.

    The clock starts here. It includes the network and the targets, but not the start of the interpreter and its modules.
    The loss is that of the unconstrained pixels. The written picture is the one with the lowest loss, clamped to 0..255.
    """
    import numpy
    import torch
    from PIL import Image

    torch.set_num_threads(job["threads"])
    start = time.perf_counter()
    filters = compare.weights()
    content = read(Path(job["folder"]) / "content.png")
    style = read(Path(job["folder"]) / "style.png")
    with torch.no_grad():
        content_target = compare.features(content, filters)[CONTENT_LAYER]
        maps = compare.features(style, filters)
        style_target = {name: compare.gram(maps[name]) for name in STYLE_LAYERS}
        del maps

    def paper(maps):
        content_loss, style_losses = paper_losses(maps, content_target, style_target)
        return job["alpha"] * content_loss + job["beta"] * sum(style_losses)

    def popular(maps):
        # Gram matrices are per position here, without the division by the channels.
        loss = 0.01 * (maps[CONTENT_LAYER] - content_target).square().mean()
        for name in STYLE_LAYERS:
            channels = maps[name].shape[1]
            difference = (compare.gram(maps[name]) - style_target[name]) * channels
            loss = loss + 10 / channels**2 * difference.square().mean()
        return loss

    objective = {"paper": paper, "popular": popular}[job["objective"]]
    image = content.clone().requires_grad_()
    # One step per call gives the same result as all steps in one call. The loss and the clock can then be read
    # between steps. Tolerances of 0 never end the run.
    optimizer = torch.optim.LBFGS([image], lr=1, max_iter=1, history_size=HISTORY, line_search_fn=None,
                                  tolerance_grad=0, tolerance_change=0)

    def closure():
        optimizer.zero_grad()
        loss = objective(compare.features(image, filters))
        loss.backward()
        return loss

    losses, seconds, lowest, picture = [], [time.perf_counter() - start], math.inf, content.clone()
    for step in range(job["steps"] + 1):
        before = image.detach().clone()
        # A step evaluates the loss at its start. The loss after the last step is evaluated outside the clock.
        if step < job["steps"]:
            loss = optimizer.step(closure).item()
            seconds.append(time.perf_counter() - start)
        else:
            with torch.no_grad():
                loss = objective(compare.features(image, filters)).item()
        losses.append(loss)
        if loss < lowest:
            lowest, picture = loss, before
        if not math.isfinite(loss):
            say(f"PyTorch's loss is {loss} after step {step}")
            break
        if step % 25 == 0 or step == job["steps"]:
            say(f"PyTorch, step {step}: loss {loss:.4e}, {seconds[step]:.1f} s")
    if not math.isfinite(losses[0]):
        sys.exit("the loss of the content picture is not a finite number")
    begin = time.perf_counter()
    pixels = picture[0].permute(1, 2, 0).clamp(0, 255).round().numpy().astype(numpy.uint8)
    Image.fromarray(pixels).save(job["picture"])
    return {"losses": losses, "seconds": seconds[:len(losses)], "write_seconds": time.perf_counter() - begin,
            "version": torch.__version__}


def measure_worker(job):
    """Returns the losses of finished pictures.

    `content`: content loss over the variance of the content's own features around the channels' means.
    `style`: style loss over the content picture's style loss, a mean over the layers.
    `paper`: the weighted sum, with alpha and beta.
    """
    import torch

    torch.set_num_threads(job["threads"])
    filters = compare.weights()
    folder = Path(job["folder"])
    with torch.no_grad():
        content = compare.features(read(folder / "content.png"), filters)
        maps = compare.features(read(folder / "style.png"), filters)
        style_target = {name: compare.gram(maps[name]) for name in STYLE_LAYERS}
        del maps
        target = content[CONTENT_LAYER]
        variance = (target - target.mean((2, 3), keepdim=True)).double().square().mean().item()
        start = [loss.item() for loss in paper_losses(content, target, style_target)[1]]
        found = []
        for picture in job["pictures"]:
            content_loss, style_losses = paper_losses(compare.features(read(picture), filters), target, style_target)
            content_loss, style_losses = content_loss.item(), [loss.item() for loss in style_losses]
            values = {"content": content_loss / variance}
            values["style"] = sum(loss / first for loss, first in zip(style_losses, start)) / len(start)
            if "alpha" in job:
                values["paper"] = job["alpha"] * content_loss + job["beta"] * sum(style_losses)
            found.append(values)
    return {"pictures": found}


def paper_losses(maps, content_target, style_target):
    """Returns the mean squared difference at the content layer, and for each style layer the squared Frobenius norm of the
    difference of the Gram matrices."""
    content = (maps[CONTENT_LAYER] - content_target).square().mean()
    return content, [(compare.gram(maps[name]) - style_target[name]).square().sum() for name in STYLE_LAYERS]


def read(path):
    """Reads a picture as `[1, 3, H, W]`, RGB in 0..255."""
    import numpy
    import torch
    from PIL import Image

    pixels = numpy.array(Image.open(path).convert("RGB"), numpy.float32)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()


if __name__ == "__main__":
    main()
