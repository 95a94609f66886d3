#!/usr/bin/env python3
"""Turns what measure.sh has written into Markdown.

table FOLDER: prints tables of results.jsonl and peer.jsonl. What was not measured is a dash.
difference A B: prints how far two pictures are apart, as JSON. This needs Pillow.
"""

import json
import math
import statistics
import sys
from pathlib import Path

PRECISIONS = {"f32": "f32", "tf32": "TF32", "bf16": "bf16"}


def main():
    command, *names = sys.argv[1:] or [""]
    if command == "table" and len(names) == 1:
        table(Path(names[0]))
    elif command == "difference" and len(names) == 2:
        difference(*names)
    else:
        sys.exit(__doc__)


def table(folder):
    results, peer = objects(folder / "results.jsonl"), objects(folder / "peer.jsonl")
    if not results:
        sys.exit(f"{folder}/results.jsonl is missing or empty; run benches/gpu/measure.sh first")
    parts = {}
    for line in results:
        parts.setdefault(line["part"], {}).update(line)
    machine = parts.get("machine", {})
    benches = [line for line in results if "iteration_s" in line]
    versions = [line for line in peer if "version" in line]

    print("# impasto on a graphics card\n")
    card, driver = (machine.get(name) or "unknown" for name in ("card", "driver"))
    print(f"- card by nvidia-smi: {card}, driver {driver}")
    for device in dict.fromkeys(line["device"] for line in benches if "device" in line):
        print(f"- measured by impasto: {device}")
    print(f"- CPU: {machine.get('cpu') or 'unknown'}, {machine.get('threads')} threads")
    for line in versions:
        print(f"- PyTorch {line['version']} with cuDNN {line['cudnn']}, on {line['device']}")
    iterations(machine.get("device", "gpu"), benches, peer)
    pytorch(peer)
    runs(parts, peer)
    layers(benches)
    print("\n## Parts\n")
    for name, part in parts.items():
        if "ended" in part:
            why = f" ({part['why']})" if "why" in part else ""
            print(f"- {name}: {part['ended']}, {part['wall_s']} s{why}")


def iterations(device, benches, peer):
    """One row a size. Ratios are PyTorch's time, or the CPU's, divided by impasto's on the card."""
    alone = {side(line): line for line in benches
             if line["part"].startswith("bench") and line["part"] != "bench-cpu"}
    cpu = {side(line): line for line in benches if line["part"] == "bench-cpu"}
    turns = by_size(line for line in peer if line["program"] == "impasto")
    torch = by_size(line for line in peer if line["program"] == "torch" and "size" in line)
    best = {size: fastest(lines) for size, lines in torch.items()}
    sizes = sorted({*alone, *cpu, *turns, *torch})
    if not sizes:
        return
    print("\n## One iteration, ms\n")
    print("PyTorch's times are those of its fastest layout and mode. A ratio above 1 means that "
          f"impasto with `--device {device}` is faster. If `rounds` is a dash, impasto was not "
          "measured in turns with PyTorch.\n")
    names = [f"PyTorch {name}" for name in PRECISIONS.values()]
    header(["size", f"impasto {device}", "min..max", "rounds", *names,
            *(f"{name} : impasto" for name in PRECISIONS.values()), "impasto CPU", "CPU : impasto"])
    for size in sizes:
        rounds = turns.get(size) or [line for line in [alone.get(size)] if line]
        ours = median(rounds)
        theirs = [best.get(size, {}).get(precision) for precision in PRECISIONS]
        reference = cpu[size]["iteration_s"] if size in cpu else None
        row(size, ms(ours), span(rounds), len(turns.get(size, [])) or "-", *map(ms, theirs),
            *(ratio(time, ours) for time in theirs), ms(reference), ratio(reference, ours))


def pytorch(peer):
    """All that PyTorch did, with the memory of its tensors."""
    torch = by_size(line for line in peer if line["program"] == "torch" and "size" in line)
    if not torch:
        return
    print("\n## PyTorch, ms of an iteration (MiB of tensors at most)\n")
    columns = list(dict.fromkeys(variant(line) for lines in torch.values() for line in lines))
    header(["size", "precision", *(" ".join(column) for column in columns)])
    for size, lines in sorted(torch.items()):
        for precision, name in PRECISIONS.items():
            same = [line for line in lines if line["precision"] == precision]
            if not same:
                continue
            cells = []
            for column in columns:
                rounds = [line for line in same if variant(line) == column]
                memory = rounds[-1].get("max_memory_allocated_mb") if rounds else None
                cells.append(ms(median(rounds)) + ("" if memory is None else f" ({memory:.0f})"))
            row(size, name, *cells)


def runs(parts, peer):
    print("\n## Whole runs, s\n")
    header(["run", "seconds of the program", "seconds by its report", "steps"])
    for name, part in parts.items():
        whole = part.get("ended") == "ok" and "seconds" in part
        if whole and name.split("-")[0] in ("picture", "paper", "draft"):
            row(name, f"{part['wall_s']:.2f}", f"{part['seconds']:.2f}", part["steps"])
    for line in peer:
        if line["program"] == "torch lbfgs":
            name = f"PyTorch's L-BFGS, {side(line)} px, {PRECISIONS[line['precision']]}"
            row(name, "-", f"{line['seconds']:.2f}", line["steps"])
    print()
    bits = {"ok": "the same bits", "failed": "different bits"}
    print(f"- two runs: {bits.get(parts.get('bits', {}).get('ended'), 'not measured')}")
    if "mean" in parts.get("difference", {}):
        found = parts["difference"]
        print(f"- picture beside the CPU's, 20 steps: values differ by {found['mean']:.3f} of 255 "
              f"in the mean, {found['largest']} at most")
    if "rise_mib" in parts.get("memory", {}):
        found = parts["memory"]
        print(f"- card's memory, a run at {found['pixels']} px: {found['rise_mib']} MiB, with what "
              "the driver takes for a program")


def layers(benches):
    """Times of shaders and convolutions, where `--layers` was given."""
    for line in benches:
        shaders = sorted(line.get("shaders") or [], key=lambda shader: -shader["s"])
        total = sum(shader["s"] for shader in shaders)
        if total > 0:
            print(f"\n## Shaders at {side(line)} px\n")
            header(["shader", "function", "passes", "ms", "%"])
            for shader in shaders:
                row(shader["shader"], shader["function"], shader["passes"], ms(shader["s"]),
                    f"{100 * shader['s'] / total:.1f}")
    measured = [line for line in benches if line.get("layers")]
    if measured:
        print("\n## Convolutions, ms forward and back\n")
        header(["layer", *(f"{side(line)} px" for line in measured)])
        for index, layer in enumerate(measured[0]["layers"]):
            cells = [line["layers"][index] for line in measured]
            row(layer["layer"], *(f"{ms(cell.get('forward_s'))} + {ms(cell.get('backward_s'))}"
                                  for cell in cells))


def objects(path):
    """Reads JSON lines. A line that was cut when a program was stopped is left out."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"{path.name}: not JSON: {line[:80]}", file=sys.stderr)
    return found


def by_size(lines):
    found = {}
    for line in lines:
        found.setdefault(side(line), []).append(line)
    return found


def fastest(lines):
    """Returns the median of its rounds by precision, for the layout and mode with the lowest."""
    found = {}
    for key in {(line["precision"], *variant(line)) for line in lines}:
        rounds = [line for line in lines if (line["precision"], *variant(line)) == key]
        found[key[0]] = min(found.get(key[0], math.inf), median(rounds))
    return found


def variant(line):
    return line["layout"], line["mode"]


def side(line):
    return line["size"][0]


def median(rounds):
    return statistics.median(line["iteration_s"] for line in rounds) if rounds else None


def span(rounds):
    if not rounds:
        return "-"
    least = min(line["iteration_min_s"] for line in rounds)
    return f"{ms(least)}..{ms(max(line['iteration_max_s'] for line in rounds))}"


def ms(seconds):
    return "-" if seconds is None else f"{seconds * 1e3:.2f}"


def ratio(peer, ours):
    return "-" if peer is None or not ours else f"{peer / ours:.2f}"


def header(names):
    row(*names)
    print("|" + "---|" * len(names))


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def difference(first, second):
    try:
        from PIL import Image, ImageChops, ImageStat
    except ImportError as error:
        sys.exit(f"no difference: {error}")
    pictures = [Image.open(name).convert("RGB") for name in (first, second)]
    if pictures[0].size != pictures[1].size:
        sys.exit(f"{first} and {second} differ in size")
    apart = ImageChops.difference(*pictures)
    largest = max(high for _, high in apart.getextrema())
    print(json.dumps({"mean": statistics.mean(ImageStat.Stat(apart).mean), "largest": largest}))


if __name__ == "__main__":
    main()
