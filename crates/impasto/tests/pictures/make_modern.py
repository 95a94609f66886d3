"""Makes the HEIC, AVIF and JPEG XL pictures of this folder, and what Debian's programs decode them to.

    python3 make_modern.py

It needs the packages libheif-examples, libavif-bin and libjxl-tools, and Pillow. NAME.EXT is the picture. NAME.srgb.png
is what it must decode to: the output of heif-convert, avifdec or djxl, turned, cut and converted to sRGB as the file says.
"""

import struct
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from make import HERE, expect, profile, tag_description, tag_xyz, wide, WHITE

WORK = Path(tempfile.mkdtemp())


def smooth(mode, width=37, height=29):
    """Makes slow ramps of pale colours: it matters little how a decoder enlarges planes, and all colours are in sRGB."""
    picture = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            u, v = x / (width - 1), y / (height - 1)
            picture.putpixel((x, y), (round(110 + 60 * u), round(115 + 50 * v), round(165 - 50 * u * v)))
    if mode == "L":
        return picture.convert("L")
    if mode == "RGBA":
        ramp = Image.linear_gradient("L").resize((width, height))
        picture.putalpha(ramp)
    return picture


def sixteen(width=37, height=29):
    """Writes slow ramps of 16 bits. Pillow has no colours of 16 bits, so the PNG is built here."""
    import zlib

    rows = b""
    for y in range(height):
        rows += b"\0"
        for x in range(width):
            u, v = x / (width - 1), y / (height - 1)
            rows += struct.pack(">3H", *(round(257 * c) for c in (110 + 60 * u, 115 + 50 * v, 165 - 50 * u * v)))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">2I5B", width, height, 16, 2, 0, 0, 0)
    path = WORK / "sixteen.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def p3():
    """Builds the profile of Display P3, adapted to D50."""
    columns = [(0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)]
    numbers = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]
    curve = b"para\0\0\0\0\0\3\0\0" + b"".join(struct.pack(">i", round(65536 * n)) for n in numbers)
    tags = [(b"desc", tag_description("P3")), WHITE]
    tags += [(name, tag_xyz(*column)) for name, column in zip([b"rXYZ", b"gXYZ", b"bXYZ"], columns)]
    return profile(b"RGB ", b"XYZ ", b"mntr", tags + [(name, curve) for name in [b"rTRC", b"gTRC", b"bTRC"]])


def saved(picture, extension="png", **more):
    path = WORK / f"{len(list(WORK.iterdir()))}.{extension}"
    picture.save(path, **more)
    return path


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def decoded(name, decoder=None):
    """Decodes a picture of this folder with Debian's programs. 16 bits become 8."""
    out, path = WORK / "out.png", HERE / name
    out.unlink(missing_ok=True)
    run(decoder or {".heic": "heif-convert", ".avif": "avifdec", ".jxl": "djxl"}[path.suffix], path, out)
    picture = Image.open(out)
    picture.load()
    return picture


def keep(name, icc=None, turned=lambda picture: picture, decoder=None):
    picture, stem = turned(decoded(name, decoder)), name.replace(".", "_")
    if picture.mode in ("RGBA", "LA"):
        picture.convert("RGBA").save(HERE / f"{stem}.srgb.png")
    else:
        picture.info.pop("icc_profile", None)
        expect(stem, picture.convert("RGB"), icc)


def boxes(data):
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + size]
        at += size


def box(name, *parts):
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), name) + content


def full(name, *parts):
    return box(name, bytes(4), *parts)


def grid(tiles, columns, width, height, more, are_shared=False):
    """Puts single HEICs together as the tiles of a grid. `more` are properties of the whole, and of the tiles if shared."""
    contents = []
    for tile in tiles:
        data = tile.read_bytes()
        meta = dict(boxes(dict(boxes(data))[b"meta"][4:]))
        properties = dict(boxes(dict(boxes(meta[b"iprp"]))[b"ipco"]))
        configuration, size = box(b"hvcC", properties[b"hvcC"]), box(b"ispe", properties[b"ispe"])
        contents.append(dict(boxes(data))[b"mdat"])
    count, rows = len(tiles), len(tiles) // columns
    # Tiles are hidden. The whole is not.
    entry = lambda item, kind: box(b"infe", b"\2\0\0", bytes([item <= count]), struct.pack(">2H4s", item, 0, kind), b"\0")
    whole = count + 1
    kinds = full(b"iinf", struct.pack(">H", whole), *[entry(i + 1, b"hvc1") for i in range(count)], entry(whole, b"grid"))
    places = bytes(4 + i for i in range(len(more)))
    shared = places if are_shared else b""
    links = b"".join(struct.pack(">HB2B", i + 1, 2 + len(shared), 1, 2) + shared for i in range(count))
    links += struct.pack(">HBB", whole, 1 + len(more), 3) + places
    sizes = full(b"ispe", struct.pack(">2I", width, height))
    store = box(b"ipco", configuration, size, sizes, *more)
    link = full(b"ipma", struct.pack(">I", whole), links)
    references = full(b"iref", box(b"dimg", struct.pack(">2H", whole, count), *[struct.pack(">H", i + 1) for i in range(count)]))
    plan = bytes([0, 0, rows - 1, columns - 1]) + struct.pack(">2H", width, height)

    def meta(start):
        places, at = b"", start
        for i, content in enumerate(contents):
            places += struct.pack(">4H2I", i + 1, 0, 0, 1, at, len(content))
            at += len(content)
        places += struct.pack(">4H2I", whole, 1, 0, 1, 0, len(plan))
        place = box(b"iloc", b"\1\0\0\0\x44\0", struct.pack(">H", whole), places)
        handler = full(b"hdlr", bytes(4), b"pict", bytes(13))
        primary = full(b"pitm", struct.pack(">H", whole))
        return full(b"meta", handler, primary, place, kinds, references, box(b"iprp", store, link), box(b"idat", plan))

    front = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    start = len(front) + len(meta(0)) + 8
    return front + meta(start) + box(b"mdat", *contents)


def heic():
    def make(name, source, *options):
        run("heif-enc", source, "-o", HERE / f"{name}.heic", *options)

    rgb = saved(smooth("RGB"))
    make("plain", rgb, "-q", 90)
    keep("plain.heic")
    make("full", rgb, "-L", "-p", "chroma=444")
    keep("full.heic")
    make("half", rgb, "-q", 95, "-p", "chroma=422")
    keep("half.heic")
    make("alpha", saved(smooth("RGBA")), "-q", 95, "-p", "chroma=444")
    keep("alpha.heic")
    make("grey", saved(smooth("L")), "-q", 90)
    keep("grey.heic")
    make("ten", sixteen(), "-q", 95, "-b", 10, "-p", "chroma=444")
    keep("ten.heic")
    make("wide", saved(smooth("RGB"), icc_profile=wide()), "-q", 95, "-p", "chroma=444")
    keep("wide.heic", wide())
    # Debian's heif-enc writes no numbers for colours, so they are put in here. The planes stay as they are.
    tile = WORK / "tile.heic"
    run("heif-enc", saved(smooth("RGB", 64, 64)), "-o", tile, "-q", 95, "-p", "chroma=444")
    colours = lambda primaries, matrix, is_full: box(b"colr", b"nclx", struct.pack(">3HB", primaries, 13, matrix, 128 * is_full))
    (HERE / "video.heic").write_bytes(grid([tile], 1, 37, 29, [colours(1, 1, False)], True))
    keep("video.heic")
    (HERE / "p3.heic").write_bytes(grid([tile], 1, 37, 29, [colours(12, 6, True)], True))
    keep("p3.heic", p3())
    notes = Image.Exif()
    notes[0x0110], notes[0x0112] = "Camera of a test", 6
    make("turned", saved(smooth("RGB"), "jpg", exif=notes, quality=100, subsampling=0), "-q", 95, "-p", "chroma=444")
    keep("turned.heic")
    # heif-enc makes no grids. The last column and row stand out, the whole is cut, turned and mirrored.
    picture, tiles = smooth("RGB", 128, 128), []
    for i, (x, y) in enumerate([(0, 0), (64, 0), (0, 64), (64, 64)]):
        tiles.append(WORK / f"{i}.heic")
        run("heif-enc", saved(picture.crop((x, y, x + 64, y + 64))), "-o", tiles[-1], "-q", 80)
    cut = box(b"clap", struct.pack(">2I2I2i2i", 80, 1, 60, 1, -4, 1, 2, 1))
    whole = grid(tiles, 2, 100, 90, [cut, box(b"irot", b"\1"), box(b"imir", b"\1")])
    (HERE / "grid.heic").write_bytes(whole)
    keep("grid.heic")


def avif():
    def make(name, source, *options):
        run("avifenc", "-s", 6, *options, source, HERE / f"{name}.avif")

    rgb = saved(smooth("RGB"))
    fine = ["--min", 0, "--max", 8]
    make("small", rgb, "-y", 420, *fine)
    keep("small.avif")
    make("full", rgb, "-l")
    keep("full.avif")
    make("video", rgb, "-y", 444, "-r", "limited", "--cicp", "1/13/1", *fine)
    # avifdec is off by 6 in blue, because libyuv has no room for the factor.
    keep("video.avif", decoder="heif-convert")
    make("half", rgb, "-y", 422, *fine)
    keep("half.avif")
    make("ten", sixteen(), "-y", 444, "-d", 10, *fine)
    keep("ten.avif")
    make("twelve", sixteen(), "-y", 420, "-d", 12, *fine)
    keep("twelve.avif")
    make("alpha", saved(smooth("RGBA")), "-y", 444, "--minalpha", 0, "--maxalpha", 0, *fine)
    keep("alpha.avif")
    make("premultiplied", saved(smooth("RGBA")), "-p", "-y", 444, "--minalpha", 0, "--maxalpha", 0, *fine)
    keep("premultiplied.avif")
    make("grey", saved(smooth("L")), "-y", 400, *fine)
    keep("grey.avif")
    make("p3", rgb, "-y", 444, "--cicp", "12/13/6", *fine)
    keep("p3.avif", p3())
    notes = Image.Exif()
    notes[0x0110], notes[0x0112] = "Camera of a test", 6
    (WORK / "wide.icc").write_bytes(wide())
    (WORK / "notes.exif").write_bytes(notes.tobytes().removeprefix(b"Exif\0\0"))
    # avifenc turns it into that of AVIF. avifdec does not turn, and a difference of 1 grows to 3 by this profile.
    make("wide", rgb, "-y", 444, "--icc", WORK / "wide.icc", "--exif", WORK / "notes.exif", *fine)
    keep("wide.avif", wide(), decoder="heif-convert")
    # avifdec does not turn. It cuts, turns to the left, then mirrors.
    cut = lambda picture: picture.crop((4, 2, 34, 26))
    turned = lambda picture: ImageOps.mirror(cut(picture).transpose(Image.Transpose.ROTATE_90))
    make("turned", rgb, "-y", 444, "--crop", "4,2,30,24", "--irot", 1, "--imir", 1, *fine)
    keep("turned.avif", turned=turned)
    make("grid", saved(smooth("RGB", 128, 128)), "-g", "2x2", "-y", 420, *fine)
    keep("grid.avif")
    run("avifenc", "-s", 6, *fine, rgb, saved(smooth("RGB").transpose(Image.Transpose.ROTATE_180)), HERE / "animated.avif")
    keep("animated.avif")


def jxl():
    def make(name, source, *options):
        run("cjxl", source, HERE / f"{name}.jxl", *options)

    rgb = saved(smooth("RGB"))
    make("plain", rgb, "-d", 0.5)
    keep("plain.jxl")
    make("full", rgb, "-d", 0)
    keep("full.jxl")
    make("progressive", rgb, "-d", 0.5, "-p", "--progressive_dc=1")
    keep("progressive.jxl")
    make("ten", sixteen(), "-d", 0.3)
    keep("ten.jxl")
    make("sixteen", sixteen(), "-d", 0, "-e", 3)
    keep("sixteen.jxl")
    make("alpha", saved(smooth("RGBA")), "-d", 0)
    keep("alpha.jxl")
    make("grey", saved(smooth("L")), "-d", 0.5)
    keep("grey.jxl")
    make("wide", saved(smooth("RGB"), icc_profile=wide()), "-d", 0)
    keep("wide.jxl", wide())
    make("p3", saved(smooth("RGB"), icc_profile=p3()), "-d", 0.3)
    keep("p3.jxl", p3())
    notes = Image.Exif()
    notes[0x0110], notes[0x0112] = "Camera of a test", 6
    make("turned", saved(smooth("RGB"), "jpg", exif=notes, quality=98, subsampling=0))
    keep("turned.jxl")
    frames = [smooth("RGB"), smooth("RGB").transpose(Image.Transpose.ROTATE_180)]
    frames[0].save(WORK / "in.apng", format="PNG", save_all=True, append_images=frames[1:], duration=100)
    make("animated", WORK / "in.apng", "-d", 0)
    run("djxl", HERE / "full.jxl", WORK / "out.png")
    Image.open(WORK / "out.png").convert("RGB").save(HERE / "animated_jxl.srgb.png")


if __name__ == "__main__":
    heic()
    avif()
    jxl()
