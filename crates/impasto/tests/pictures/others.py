"""Makes pictures with what other people's programs can write, each with its decoded twin.

    python3 others.py FOLDER

A picture is FOLDER/PROGRAM-NAME.EXT, its twin FOLDER/PROGRAM-NAME.EXT.srgb.png: what the program that wrote it reads
from it, in 8 bits. NAME has the word jpeg if a picture of another format is compressed with JPEG. The test
`pictures_of_other_programs_are_read_or_refused_by_name` compares them.

It needs Pillow, numpy, tifffile and imagecodecs (PyPI), ImageMagick's `convert`, libtiff's `tiffcp`, heif-enc, avifenc and
cjxl (Debian: imagemagick, libtiff-tools, libheif-examples, libavif-bin, libjxl-tools). To add a format, write a function
that calls `add`, and list it in MAKERS.
"""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

# Neither side is a multiple of a tile, of a strip, or of a byte's pixels.
WIDTH, HEIGHT = 61, 43
FOLDER = Path()


def picture(channels, smooth=False):
    """Makes a picture in 0..1: `[HEIGHT, WIDTH, channels]`. The last of two or four channels is an opacity."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    values = [
        (x / WIDTH + y / HEIGHT) / 2,
        0.5 + 0.5 * np.sin(x / 9),
        0.5 + 0.5 * np.cos((x + 2 * y) / 17),
    ][: 1 if channels < 3 else 3]
    if channels in (2, 4):
        values.append(0.2 + 0.8 * y / HEIGHT)
    stacked = np.stack(values, axis=-1)
    return 0.3 + 0.4 * stacked if smooth else stacked


def pil(mode):
    """Makes the picture as Pillow has it."""
    if mode == "I;16":
        return Image.fromarray((picture(1)[..., 0] * 65535).round().astype(np.uint16))
    if mode in ("1", "P", "CMYK", "YCbCr"):
        return pil("L" if mode == "1" else "RGB").convert(mode)
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    return Image.fromarray((picture(channels) * 255).round().astype(np.uint8).squeeze(), mode)


def add(path, values):
    """Writes the twin of a picture: values in 0..1, or what Pillow has read."""
    if isinstance(values, Image.Image):
        if values.mode.startswith("I;16"):
            values = np.asarray(values) / 65535
        elif values.mode in ("LA", "RGBA", "PA") or "transparency" in values.info:
            values = np.asarray(values.convert("RGBA")) / 255
        else:
            values = np.asarray(values.convert("RGB")) / 255
    bytes_of = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    if bytes_of.ndim == 3 and bytes_of.shape[-1] == 1:
        bytes_of = bytes_of[..., 0]
    Image.fromarray(bytes_of).save(FOLDER / f"{path.name}.srgb.png")


def run(*command):
    """Runs a program. Returns whether it could do what it was asked for."""
    return subprocess.run([str(word) for word in command], capture_output=True, check=False).returncode == 0


def by_pillow():
    kinds = {
        "png": [(mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
        "jpg": [
            (mode, {"quality": quality, "subsampling": subsampling, "progressive": progressive})
            for mode in ("L", "RGB", "CMYK")
            for quality in (75, 95)
            for subsampling in (0, 1, 2)
            for progressive in (False, True)
        ],
        "webp": [
            (mode, {"lossless": lossless, "exact": True, "quality": 80})
            for mode in ("L", "RGB", "RGBA")
            for lossless in (False, True)
        ],
        "tif": [
            (mode, {"compression": compression, "tiffinfo": {266: order}} if order == 2 else {"compression": compression})
            for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16")
            for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg", "zstd",
                                "webp", "lzma", "group3", "group4", "tiff_ccitt", "tiff_raw_16")
            for order in (1, 2)
        ],
    }
    for extension, options in kinds.items():
        for number, (mode, option) in enumerate(options):
            coding = option.get("compression", extension)
            path = FOLDER / f"pillow-{mode.replace(';', '')}-{coding}-{number}.{extension}"
            try:
                pil(mode).save(path, **option)
                with Image.open(path) as back:
                    back.load()
                    add(path, back)
            except (OSError, ValueError, KeyError, RuntimeError, TypeError):
                # Pillow does not write or read this combination.
                path.unlink(missing_ok=True)


def by_tifffile():
    kinds = [np.dtype(kind) for kind in ("u1", "u2", "u4", "i1", "i2", "f2", "f4", "f8")]
    compressions = [None, "lzw", "zlib", "packbits", "zstd", "jpeg", "webp", "lerc", "lzma", "jpeg2000", "jpegxl", "png"]
    number = 0
    for kind, channels, compression in itertools.product(kinds, (1, 3, 4), compressions):
        for tile, planar, predictor, big, order in [
            (None, "contig", False, False, "<"),
            ((16, 16), "contig", False, True, ">"),
            ((16, 32), "separate", False, False, ">"),
            (None, "separate", False, True, "<"),
            ((32, 16), "contig", True, False, "<"),
            (None, "contig", True, False, ">"),
        ]:
            if (planar == "separate" and channels == 1) or (predictor and compression not in ("lzw", "zlib", "zstd")):
                continue
            values = picture(channels, smooth=compression in ("jpeg", "webp", "jpegxl"))
            if kind.kind == "f":
                stored = values.astype(kind)
            else:
                least, most = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
                stored = np.round(least + values * (most - least)).astype(kind)
            stored = stored.squeeze() if planar == "contig" else np.moveaxis(stored, -1, 0)
            path = FOLDER / f"tifffile-{kind.name}-{channels}-{compression}-{number}.tif"
            number += 1
            try:
                tifffile.imwrite(
                    path, stored, photometric="minisblack" if channels == 1 else "rgb", planarconfig=planar,
                    extrasamples=["unassalpha"] if channels == 4 else None, compression=compression, tile=tile,
                    predictor=predictor, bigtiff=big, byteorder=order, rowsperstrip=None if tile else 7,
                )
                back = tifffile.imread(path).astype(float)
            except Exception:  # noqa: BLE001 - tifffile and imagecodecs raise errors of every kind
                # They do not write or read this combination.
                path.unlink(missing_ok=True)
                continue
            if planar == "separate":
                back = np.moveaxis(back, 0, -1)
            if kind.kind != "f":
                back = (back - least) / (most - least)
            add(path, back)


def by_tiffcp():
    sources = {}
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16"):
        sources[mode.replace(";", "")] = FOLDER / f"source-{mode.replace(';', '')}.tif"
        pil(mode).save(sources[mode.replace(";", "")])
    ways = [["-s", "-r", "7"], ["-t", "-w", "16", "-l", "16"], ["-p", "separate", "-s", "-r", "5"],
            ["-p", "separate", "-t", "-w", "32", "-l", "16"], ["-8"], ["-B"], ["-f", "lsb2msb"],
            ["-f", "lsb2msb", "-B", "-t", "-w", "16", "-l", "32"]]
    codings = ["none", "lzw", "lzw:2", "zip", "zip:2", "packbits", "jpeg", "jpeg:r", "g3", "g3:2d", "g4", "lzma", "zstd",
               "webp"]
    number = 0
    for (mode, source), way, coding in itertools.product(sources.items(), ways, codings):
        path = FOLDER / f"tiffcp-{mode}-{coding.replace(':', '')}-{number}.tif"
        number += 1
        if not run("tiffcp", *way, "-c", coding, source, path):
            path.unlink(missing_ok=True)
            continue
        # Pillow reads with libtiff. It does not know all of these files, so what was copied counts without loss.
        lossy = coding.startswith(("jpeg", "webp"))
        try:
            with Image.open(path if lossy else source) as back:
                back.load()
                add(path, back)
        except (OSError, ValueError, SyntaxError):
            path.unlink()
    for source in sources.values():
        source.unlink()


def by_imagemagick():
    source = {}
    for mode in ("L", "LA", "RGB", "RGBA"):
        source[mode] = FOLDER / f"source-{mode}.png"
        pil(mode).save(source[mode])
    commands = []
    for mode in source:
        # ImageMagick does not read its own grey with opacity at other depths.
        for depth in (8, 16) if mode == "LA" else (1, 2, 4, 8, 10, 12, 14, 16):
            for order in ("LSB", "MSB"):
                commands.append((mode, "tif", ["-depth", depth, "-endian", order]))
            commands.append((mode, "tif", ["-depth", depth, "-compress", "LZW"]))
            commands.append((mode, "tif", ["-depth", depth, "-compress", "Zip", "-define", "tiff:tile-geometry=16x16"]))
            commands.append((mode, "tif", ["-depth", depth, "-interlace", "plane"]))
            commands.append((mode, "tif", ["-depth", depth, "-define", "tiff:fill-order=lsb"]))
        # It takes other signed values for unsigned ones.
        if mode == "L":
            commands.append((mode, "tif", ["-depth", 16, "-define", "quantum:format=signed"]))
        commands.append((mode, "tif", ["-depth", 32, "-define", "quantum:format=floating-point"]))
        commands.append((mode, "tif", ["-alpha", "associate", "-define", "tiff:alpha=associated"]))
        # It multiplies colours in JPEG by their opacity, without saying so.
        for coding in ("Fax", "Group4", "RLE", "LZMA", "ZSTD", "WebP") + (() if "A" in mode else ("JPEG",)):
            commands.append((mode, "tif", ["-compress", coding]))
        for depth in (1, 2, 4, 8, 16):
            commands.append((mode, "png", ["-depth", depth]))
            commands.append((mode, "png", ["-depth", depth, "-interlace", "PNG"]))
        for sampling in ("4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1", "4:1:0"):
            commands.append((mode, "jpg", ["-quality", 90, "-sampling-factor", sampling]))
            commands.append((mode, "jpg", ["-quality", 90, "-sampling-factor", sampling, "-interlace", "JPEG"]))
        for options in (["-quality", 60], ["-define", "webp:lossless=true"], ["-define", "webp:alpha-quality=40"]):
            commands.append((mode, "webp", options))
    for number, (mode, extension, options) in enumerate(commands):
        coding = options[-1] if "-compress" in options else extension
        path = FOLDER / f"imagemagick-{mode}-{coding}-{number}.{extension}"
        twin = FOLDER / f"{path.name}.srgb.png"
        # Without chunks, the twin's values are sRGB as they are.
        plain = ["-depth", 8, "-strip", "-define", "png:exclude-chunks=all"]
        form = f"PNG32:{twin}" if "A" in mode and extension != "jpg" else f"PNG24:{twin}"
        if not (run("convert", source[mode], "-strip", *options, path) and run("convert", f"{path}[0]", *plain, form)):
            path.unlink(missing_ok=True)
            twin.unlink(missing_ok=True)
    for path in source.values():
        path.unlink()


def by_heif_and_jxl():
    """HEIC by heif-enc, AVIF by avifenc, JPEG XL by cjxl: libheif-examples, libavif-bin, libjxl-tools."""
    commands = []
    for mode in ("L", "LA", "RGB", "RGBA", "I;16"):
        # libheif repeats planes of half size, so only the full ones can be compared.
        for quality in ("50", "90"):
            commands.append((mode, "heic", ["heif-enc", "-q", quality, "-p", "chroma=444"]))
        commands.append((mode, "heic", ["heif-enc", "-L", "-p", "chroma=444"]))
        for depth in ("8", "10", "12"):
            for sampling in ("444", "400") if mode in ("L", "I;16") else ("444",):
                commands.append((mode, "avif", ["avifenc", "-s", "8", "-d", depth, "-y", sampling, "--min", "0", "--max", "10"]))
        commands.append((mode, "avif", ["avifenc", "-s", "8", "-l"]))
        for options in (["-d", "0"], ["-d", "0", "-e", "3"], ["-d", "1"], ["-d", "1", "-p"], ["-d", "1", "-m", "1"],
                        ["-d", "0", "--container=1"], ["-d", "2", "--epf=3"], ["-d", "1", "--photon_noise=800"]):
            commands.append((mode, "jxl", ["cjxl", *options]))
    decoders = {"heic": "heif-convert", "avif": "avifdec", "jxl": "djxl"}
    for number, (mode, extension, command) in enumerate(commands):
        source, back = FOLDER / "source.png", FOLDER / "back.png"
        if mode == "I;16":
            pil(mode).save(source)
        else:
            channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
            values = picture(channels, smooth=True)
            if channels in (2, 4):
                values[..., -1] = picture(channels)[..., -1]
            Image.fromarray((values * 255).round().astype(np.uint8).squeeze(), mode).save(source)
        path = FOLDER / f"{command[0]}-{mode.replace(';', '')}-{number}.{extension}"
        files = [source, "-o", path] if extension == "heic" else [source, path]
        # cjxl wants the files first.
        words = [command[0], *files, *command[1:]] if extension == "jxl" else [*command, *files]
        if run(*words) and run(decoders[extension], path, back):
            with Image.open(back) as twin:
                twin.load()
                add(path, twin)
        else:
            path.unlink(missing_ok=True)
        source.unlink()
        back.unlink(missing_ok=True)


MAKERS = [by_pillow, by_tifffile, by_tiffcp, by_imagemagick, by_heif_and_jxl]


if __name__ == "__main__":
    FOLDER = Path(sys.argv[1])
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in MAKERS:
        make()
    print(len(list(FOLDER.glob("*.srgb.png"))), "pictures in", FOLDER)
