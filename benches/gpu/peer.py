#!/usr/bin/env python3
"""Times one iteration in PyTorch, in turns with `impasto bench`. Prints JSON lines.

An iteration is the one of benches/peer/compare.py: VGG-19 to relu5_1 forward, Gram losses at five
layers, content loss at relu4_2, and the gradient with respect to the image alone. The filters are
random, with the shapes of VGG-19: the time is the same. A round times impasto and then every
configuration of PyTorch. Some lines are whole runs of torch.optim.LBFGS.

PyTorch never waits for a loss, so its iterations follow each other without a gap. impasto reads
its sums in every iteration, as its optimiser does.

Exit status: 3 if impasto failed, 4 if torch or the device is missing. Near the end of `--seconds`
no further configuration is begun, and the status stays 0.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

# Importing compare.py must not leave byte code in the source tree.
sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peer"))
from compare import BLOCKS, CONTENT_LAYER, MEAN, STYLE_LAYERS, gram, positive  # noqa: E402

# Importing torch can take many seconds, and counts.
START = time.monotonic()

try:
    import torch
    from torch.nn import functional
except ImportError as error:
    print(f"PyTorch: {error}", file=sys.stderr)
    sys.exit(4)

HISTORY = 20
"""Pairs that L-BFGS remembers, as many as impasto's."""

ROUND_SECONDS = 1.0
"""A configuration has fewer iterations in a round if all of them would take longer."""

LEAST = 3
"""Iterations that a round has at any size."""


def main():
    args = arguments()
    if args.device == "cuda" and not torch.cuda.is_available():
        say("PyTorch finds no card")
        sys.exit(4)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    deadline = START + args.seconds
    emit({
        "program": "torch", "version": torch.__version__, "cudnn": torch.backends.cudnn.version(),
        "device": torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
    })
    filters = random_filters(args.device)
    failed = False
    # 512 px matters most, and the largest sizes may not fit into the time.
    for size in sorted(args.sizes, key=lambda size: (size != 512, size > 1024, -size)):
        fastest, impasto_failed = measure_size(args, size, filters, deadline)
        failed = failed or impasto_failed
        if size == args.lbfgs_size or (args.lbfgs_size not in args.sizes and size == args.sizes[0]):
            for precision in ["f32", "tf32"]:
                if precision in fastest and time.monotonic() < deadline:
                    lbfgs(args, size, filters, precision, fastest[precision], deadline)
    if failed:
        sys.exit(3)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda",
                        help="what PyTorch computes on (default: cuda)")
    parser.add_argument("--sizes", type=sides, default=sides("256,512,1024,2048"),
                        metavar="PX,...", help="sides of the square images, in px "
                        "(default: 256,512,1024,2048)")
    parser.add_argument("--rounds", type=positive, default=3, metavar="N",
                        help="rounds in which all take their turns (default: 3)")
    parser.add_argument("--iterations", type=positive, default=50, metavar="N",
                        help="iterations of a configuration in a round, at most; fewer if they "
                        f"would take more than {ROUND_SECONDS:.0f} s (default: 50)")
    parser.add_argument("--warm", type=positive, default=20, metavar="N",
                        help="iterations that are not counted, at most (default: 20)")
    parser.add_argument("--seconds", type=positive, default=210, metavar="N",
                        help="time for everything (default: 210)")
    parser.add_argument("--impasto", metavar="FILE",
                        help="the program to take turns with (default: PyTorch is alone)")
    parser.add_argument("--impasto-device", default="gpu", metavar="DEVICE",
                        help="its --device (default: gpu)")
    parser.add_argument("--lbfgs-size", type=positive, default=512, metavar="PX",
                        help="size of the runs of L-BFGS; the first of --sizes if it is none of "
                        "them (default: 512)")
    parser.add_argument("--lbfgs-steps", type=positive, default=200, metavar="N",
                        help="steps of these runs (default: 200)")
    return parser.parse_args()


def sides(text):
    found = [positive(word) for word in text.split(",")]
    if min(found) < 16:
        raise argparse.ArgumentTypeError("relu5_1 needs at least 16 px a side")
    return found


def precisions(device):
    """Returns the precisions in which a device multiplies."""
    return ["f32", "tf32", "bf16"] if device == "cuda" else ["f32", "bf16"]


def measure_size(args, size, filters, deadline):
    """Runs all rounds at one size.

    Returns the faster layout by precision, and whether impasto failed.
    """
    modes = ["eager", "graph"] if args.device == "cuda" else ["eager"]
    configurations = [(mode, precision, layout) for mode in modes
                      for precision in precisions(args.device) for layout in ["nchw", "nhwc"]]
    found, broken, ours, impasto_failed = {}, set(), [], False
    for number in range(1, args.rounds + 1):
        # In the first round an H100's time is guessed. A start takes up to 2 s.
        guess = ours[-1] if ours else 0.1 * (size / 1024) ** 2
        in_time = time.monotonic() + guess * LEAST + 2 < deadline
        if args.impasto and not impasto_failed and in_time:
            try:
                ours.append(measure_impasto(args, size, number, guess, deadline))
            except subprocess.TimeoutExpired:
                say(f"{size} px, impasto: the time ran out")
            except (OSError, ValueError, subprocess.CalledProcessError) as error:
                impasto_failed = True
                say(f"{size} px, impasto: {error}")
        for configuration in configurations:
            slowest = max((times[-1] for times in found.values()), default=0.0)
            # Warming up takes as many iterations as the shortest round.
            least = 2 * LEAST * found.get(configuration, [slowest])[-1]
            if configuration in broken or time.monotonic() + least > deadline:
                continue
            try:
                result = measure_torch(args, size, filters, configuration, number, deadline)
            # Too little memory, or no algorithm for a layout: the others can still be measured.
            except RuntimeError as error:
                broken.add(configuration)
                say(f"{size} px, {' '.join(configuration)}: {str(error).splitlines()[0]}")
                continue
            finally:
                release(args.device)
            if result is not None:
                found.setdefault(configuration, []).append(result)
    for configuration, times in found.items():
        say(f"{size} px, {' '.join(configuration)}: {statistics.median(times) * 1e3:.2f} ms")
    if ours:
        say(f"{size} px, impasto: {statistics.median(ours) * 1e3:.2f} ms")
    if len(found) < len(configurations):
        say(f"{size} px: {len(found)} of {len(configurations)} configurations were measured")
    fastest = {}
    for (_, precision, layout), times in sorted(found.items(), key=lambda item: -min(item[1])):
        fastest[precision] = layout
    return fastest, impasto_failed


def measure_torch(args, size, filters, configuration, number, deadline):
    """Times one configuration in one round. Returns the median seconds of an iteration.

    `None` if the time ran out before its iterations began.
    """
    mode, precision, layout = configuration
    iteration = iteration_of(args.device, size, filters, precision, layout)
    warm(args.device, iteration, args.warm if number == 1 else LEAST, deadline)
    if time.monotonic() > deadline:
        return None
    if args.device == "cuda":
        # cuDNN's trials of its algorithms take memory too. They are over.
        torch.cuda.reset_peak_memory_stats()
    if mode == "graph":
        iteration = captured(iteration)
    begin = time.perf_counter()
    iteration()
    synchronize(args.device)
    once = time.perf_counter() - begin
    count = iterations_for(args, once)
    if time.monotonic() + once * count > deadline:
        return None
    times = timed(args.device, iteration, count)
    result = {"program": "torch", "size": [size, size], "mode": mode, "precision": precision,
              "layout": layout, "round": number, **spread(times)}
    if args.device == "cuda":
        result["max_memory_allocated_mb"] = torch.cuda.max_memory_allocated() / 2**20
        result["max_memory_reserved_mb"] = torch.cuda.max_memory_reserved() / 2**20
    emit(result)
    return result["iteration_s"]


def measure_impasto(args, size, number, guess, deadline):
    """Times impasto in one round. Returns the median seconds of an iteration."""
    command = [args.impasto, "bench", "--device", args.impasto_device, "--size", str(size),
               "--runs", str(iterations_for(args, guess)), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True,
                          timeout=max(deadline - time.monotonic(), 1))
    result = json.loads(done.stdout)
    emit({"program": "impasto", "round": number, **result})
    return result["iteration_s"]


def iterations_for(args, seconds):
    """Returns how many iterations a round has, if one takes `seconds`."""
    return min(args.iterations, max(LEAST, int(ROUND_SECONDS / max(seconds, 1e-6))))


def random_filters(device):
    """Makes filters `[K, C, 3, 3]` and biases by `block_index`, of variance `2 / 9C`.

    Features then stay about as large as the image is, at every layer.
    """
    found, inputs = {}, 3
    for block, count in enumerate(BLOCKS, start=1):
        outputs = min(64 << (block - 1), 512)
        for index in range(1, count + 1):
            weight = torch.randn(outputs, inputs, 3, 3, device=device)
            weight *= math.sqrt(2 / (9 * inputs))
            found[f"{block}_{index}"] = (weight, torch.zeros(outputs, device=device))
            inputs = outputs
    return found


def iteration_of(device, size, filters, precision, layout):
    """Sets a precision, and returns a function that computes the loss and the image's gradient.

    bf16 is PyTorch's autocast. It would cast the filters in every iteration, so they are cast
    here. The losses stay in f32, with TF32 products.
    """
    torch.backends.cudnn.allow_tf32 = precision != "f32"
    torch.backends.cuda.matmul.allow_tf32 = precision != "f32"
    order = torch.channels_last if layout == "nhwc" else torch.contiguous_format
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    filters = {name: (weight.to(dtype=dtype, memory_format=order), bias.to(dtype))
               for name, (weight, bias) in filters.items()}
    mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)

    def noise():
        return torch.rand(1, 3, size, size, device=device) * 255

    def features(image):
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            # The image stays NCHW, which L-BFGS needs.
            x = (image.flip(1) - mean).contiguous(memory_format=order)
            found = {}
            for name, (weight, bias) in filters.items():
                if name.endswith("_1") and name != "1_1":
                    x = functional.max_pool2d(x, 2)
                x = functional.conv2d(x, weight, bias, padding=1).relu_()
                found[name] = x
        return found

    with torch.no_grad():
        maps = features(noise())
        style = {name: gram(maps[name].float()) for name in STYLE_LAYERS}
        content = maps[CONTENT_LAYER].float()
        del maps
    image = noise().requires_grad_()

    def iteration():
        maps = features(image)
        loss = (maps[CONTENT_LAYER].float() - content).square().mean()
        for name in STYLE_LAYERS:
            loss = loss + (gram(maps[name].float()) - style[name]).square().sum()
        # Nothing but the image needs a gradient, so no gradient of a filter is computed.
        (gradient,) = torch.autograd.grad(loss, image)
        return loss.detach(), gradient

    iteration.image = image
    return iteration


def warm(device, iteration, count, deadline):
    """Runs iterations that are not counted, for about a round's time at most."""
    begin = time.monotonic()
    for number in range(count):
        iteration()
        synchronize(device)
        now = time.monotonic()
        if now > deadline or (number + 1 >= LEAST and now - begin > ROUND_SECONDS):
            break


def captured(iteration):
    """Records an iteration as a CUDA graph. Returns a function that replays it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(LEAST):
            iteration()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = iteration()

    def replay():
        graph.replay()
        return results

    return replay


def timed(device, iteration, count):
    """Returns the seconds of each iteration. On a card, events in its own queue measure them."""
    if device == "cpu":
        times = []
        for _ in range(count):
            begin = time.perf_counter()
            iteration()
            times.append(time.perf_counter() - begin)
        return times
    events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    events[0].record()
    for event in events[1:]:
        iteration()
        event.record()
    torch.cuda.synchronize()
    return [before.elapsed_time(after) / 1e3 for before, after in zip(events, events[1:])]


def lbfgs(args, size, filters, precision, layout, deadline):
    """Times a run of L-BFGS without a line search, from noise."""
    try:
        iteration = iteration_of(args.device, size, filters, precision, layout)
        warm(args.device, iteration, LEAST, deadline)
        # One step a call gives the same result as all steps in one call.
        optimizer = torch.optim.LBFGS([iteration.image], lr=1, max_iter=1, history_size=HISTORY,
                                      tolerance_grad=0, tolerance_change=0, line_search_fn=None)
        losses = []

        def closure():
            loss, gradient = iteration()
            iteration.image.grad = gradient.contiguous()
            losses.append(loss)
            return loss

        synchronize(args.device)
        begin = time.perf_counter()
        for _ in range(args.lbfgs_steps):
            if time.monotonic() > deadline:
                break
            optimizer.step(closure)
        synchronize(args.device)
        seconds = time.perf_counter() - begin
    except RuntimeError as error:
        say(f"{size} px, L-BFGS in {precision}: {str(error).splitlines()[0]}")
        return
    finally:
        release(args.device)
    steps = len(losses)
    if steps == 0:
        return
    first, last = losses[0].item(), losses[-1].item()
    emit({"program": "torch lbfgs", "size": [size, size], "precision": precision, "layout": layout,
          "steps": steps, "seconds": seconds, "first_loss": first,
          "last_loss": last if math.isfinite(last) else None})
    say(f"{size} px, L-BFGS in {precision}, {layout}: {steps} steps, {seconds:.2f} s, "
        f"loss {first:.3e} to {last:.3e}")


def spread(times):
    return {"iterations": len(times), "iteration_s": statistics.median(times),
            "iteration_min_s": min(times), "iteration_max_s": max(times)}


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def release(device):
    """Gives the unused memory back, so that the next program finds it."""
    if device == "cuda":
        torch.cuda.empty_cache()


def emit(line):
    print(json.dumps(line), flush=True)


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
