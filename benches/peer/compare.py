#!/usr/bin/env python3
"""Compares the seconds and memory of one iteration, PyTorch and impasto, on this machine's CPU. Prints a Markdown table.

One iteration is VGG-19 to relu5_1 forward, Gram losses at relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1,
content loss at relu4_2, and the gradient with respect to the image. Both programs have the same weights and
the same number of threads. Every measurement runs in its own process, because peak memory is counted per
process. The programs take turns, which spreads other work on the machine over both.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "assets" / "vgg19-kmeans8.safetensors"
# Import name to PyPI name.
PACKAGES = {"torch": "torch", "numpy": "numpy"}

# Convolutions of each block, up to relu5_1.
BLOCKS = [2, 2, 4, 4, 1]
STYLE_LAYERS = ["1_1", "2_1", "3_1", "4_1", "5_1"]
CONTENT_LAYER = "4_2"
# Blue, green, red: the order of the network's input.
MEAN = [103.939, 116.779, 123.68]


def main():
    args = arguments()
    if args.worker:
        torch_worker(args)
        return
    if not args.impasto.is_file():
        sys.exit(f"{args.impasto} is missing; run `cargo build --release` first")
    python = environment(args.venv)
    threads = args.threads or available_cores()
    measurements = {}
    for round_number in range(1, args.rounds + 1):
        for size in sorted(set(args.sizes + args.bf16), key=area):
            programs = {}
            if size in args.sizes:
                programs["torch"] = torch_command(python, size, threads, args.runs, [])
            if size in args.bf16:
                programs["bf16"] = torch_command(python, size, threads, args.runs, ["--worker-bf16"])
            programs["impasto"] = impasto_command(args.impasto, size, threads, args.runs)
            for name, command in programs.items():
                found = run(command)
                measurements.setdefault((size, name), []).append(found)
                print(f"round {round_number}, {size}, {name}: {found['iteration_s']:.3f} s", file=sys.stderr)
    print_table(args, measurements, threads)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=sizes, default=sizes("256,512,1024"), metavar="PX|WxH,...",
                        help="sizes to compare in f32, in px (default: 256,512,1024)")
    parser.add_argument("--bf16", type=sizes, default=sizes("512"), metavar="PX|WxH,...",
                        help="sizes at which PyTorch also runs in bf16 autocast; empty for none (default: 512)")
    parser.add_argument("--rounds", type=positive, default=3, metavar="N",
                        help="times every program is started; the table has medians over these (default: 3)")
    parser.add_argument("--runs", type=positive, default=5, metavar="N",
                        help="iterations in each process after an uncounted one. The process reports their median (default: 5)")
    parser.add_argument("--threads", type=positive, metavar="N", help="threads of both programs (default: one for each core)")
    parser.add_argument("--venv", type=Path, default=cache() / "impasto-peer", metavar="FOLDER",
                        help="virtual environment outside the project. If it is missing, it is made, and torch and numpy are "
                             "installed from PyPI (default: impasto-peer in the user's cache folder)")
    parser.add_argument("--impasto", type=Path, default=ROOT / "target" / "release" / "impasto", metavar="FILE",
                        help="the program to measure (default: target/release/impasto)")
    # The script calls itself with these options.
    parser.add_argument("--worker", metavar="SIZE", help=argparse.SUPPRESS)
    parser.add_argument("--worker-bf16", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("needs a whole number of at least 1")
    return number


def sizes(text):
    found = []
    for word in filter(None, text.split(",")):
        sides = word.split("x")
        if len(sides) > 2 or not all(side.isdigit() and int(side) >= 16 for side in sides):
            raise argparse.ArgumentTypeError(f"{word!r} is not a size; give 512 or 768x512, with at least 16 px a side")
        found.append("x".join(sides * 2 if len(sides) == 1 else sides))
    return found


def area(size):
    width, height = map(int, size.split("x"))
    return width * height


def available_cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def cache():
    if "XDG_CACHE_HOME" in os.environ:
        return Path(os.environ["XDG_CACHE_HOME"])
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def environment(folder, packages=PACKAGES):
    """Returns the interpreter of the virtual environment. Makes the environment and installs packages if they are missing."""
    folder = folder.absolute()
    if folder.resolve().is_relative_to(ROOT):
        sys.exit(f"{folder} is inside the project; name a folder outside it with --venv")
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making the virtual environment {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    check = [python, "-c", "import " + ", ".join(packages)]
    if subprocess.run(check, stderr=subprocess.DEVNULL).returncode != 0:
        subprocess.run([python, "-m", "pip", "install", *packages.values()], check=True, stdout=sys.stderr)
    return python


def torch_command(python, size, threads, runs, extra):
    return [python, __file__, "--worker", size, "--threads", threads, "--runs", runs, *extra]


def impasto_command(program, size, threads, runs):
    return [program, "bench", "--json", "--size", size, "--threads", threads, "--runs", runs]


def run(command):
    """Runs a program and returns the JSON object that it prints."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"failed with exit status {done.returncode}: {' '.join(str(word) for word in command)}")
    return json.loads(done.stdout)


def print_table(args, measurements, threads):
    def median(size, name, field):
        values = [found[field] for found in measurements[size, name]]
        return None if None in values else statistics.median(values)

    example = measurements[next(iter(measurements))[0], "impasto"][0]
    version = next((found[0]["version"] for (_, name), found in measurements.items() if name != "impasto"), None)
    print(f"{cpu()}, {threads} threads; PyTorch {version}, impasto with {example['isa']}; medians of {args.rounds} rounds\n")
    print("| size | PyTorch s | impasto s | ratio | PyTorch MiB | impasto MiB | ratio |")
    print("|---|---|---|---|---|---|---|")
    rows = [(size, "torch", "") for size in args.sizes] + [(size, "bf16", ", PyTorch in bf16") for size in args.bf16]
    for size, peer, note in rows:
        times = [median(size, name, "iteration_s") for name in (peer, "impasto")]
        memory = [median(size, name, "peak_rss_mb") for name in (peer, "impasto")]
        cells = [f"{times[0]:.3f}", f"{times[1]:.3f}", f"{times[0] / times[1]:.2f}"]
        cells += ["-" if mib is None else f"{mib:.0f}" for mib in memory]
        cells.append("-" if None in memory else f"{memory[0] / memory[1]:.2f}")
        print(f"| {size}{note} | {' | '.join(cells)} |")


def cpu():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def torch_worker(args):
    """Measures one size in this process and prints a JSON object."""
    import torch

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    width, height = map(int, args.worker.split("x"))
    filters = weights()
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.worker_bf16)
    with torch.no_grad(), autocast:
        target = features(noise(height, width), filters)
        style = {name: gram(target[name].float()) for name in STYLE_LAYERS}
        content = target[CONTENT_LAYER].float()
        del target
    image = noise(height, width).requires_grad_()
    times = []
    for number in range(args.runs + 1):
        start = time.perf_counter()
        with autocast:
            maps = features(image, filters)
        loss = (maps[CONTENT_LAYER].float() - content).square().mean()
        for name in STYLE_LAYERS:
            loss = loss + (gram(maps[name].float()) - style[name]).square().sum()
        image.grad = None
        loss.backward()
        # The first iteration allocates memory that the others reuse.
        if number > 0:
            times.append(time.perf_counter() - start)
    # The unit is KiB, or bytes on macOS.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print(json.dumps({
        "iteration_s": statistics.median(times),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        "version": torch.__version__,
    }))


def weights():
    """Reads filters and bias of every convolution from the safetensors file: a JSON header, then the tensors' bytes."""
    import numpy
    import torch

    data = WEIGHTS.read_bytes()
    header_end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:header_end])

    def tensor(name):
        entry = header[name]
        begin, end = (header_end + offset for offset in entry["data_offsets"])
        dtype = {"U8": "u1", "F32": "<f4"}[entry["dtype"]]
        return numpy.frombuffer(data[begin:end], dtype).reshape(entry["shape"])

    found = {}
    for block, count in enumerate(BLOCKS, start=1):
        for index in range(1, count + 1):
            name = f"conv{block}_{index}"
            filters = tensor(f"{name}.codebook")[tensor(f"{name}.weight")]
            found[f"{block}_{index}"] = (torch.tensor(filters), torch.tensor(tensor(f"{name}.bias")))
    return found


def noise(height, width):
    """Makes a random image `[1, 3, H, W]`, RGB in 0..255."""
    import torch

    return torch.rand(1, 3, height, width) * 255


def features(image, filters):
    """Returns every feature map after its rectifier, by `block_index`."""
    import torch
    from torch.nn import functional

    x = image.flip(1) - torch.tensor(MEAN).view(1, 3, 1, 1)
    found = {}
    for name, (weight, bias) in filters.items():
        if name.endswith("_1") and name != "1_1":
            x = functional.max_pool2d(x, 2)
        x = functional.conv2d(x, weight, bias, padding=1).relu_()
        found[name] = x
    return found


def gram(features_of_layer):
    """Gram matrix of a map `[1, C, H, W]`: `FᵀF / (H·W·C)`, eq. (3)."""
    rows = features_of_layer.flatten(2)[0]
    return rows @ rows.T / rows.numel()


if __name__ == "__main__":
    main()
