"""Makes the pictures of this folder, and their sRGB versions by a second implementation (Pillow with LittleCMS).

    python3 make.py

NAME.EXT is the picture. NAME.srgb.png is what it must decode to, within 2 of 255. The profiles are made here too.
"""

import io
import struct
import subprocess
import zlib
from pathlib import Path

from PIL import Image, ImageCms

HERE = Path(__file__).parent
SIZE = 12


def fixed(value):
    return struct.pack(">i", round(value * 65536))


def tag_xyz(x, y, z):
    return b"XYZ \0\0\0\0" + fixed(x) + fixed(y) + fixed(z)


def tag_gamma(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def tag_description(text):
    text = text.encode() + b"\0"
    data = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)
    return data + bytes(-len(data) % 4)


def profile(space, pcs, kind, tags):
    """Builds an ICC profile, version 2.4."""
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags:
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = start + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, kind, space, pcs)
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(24)
    header += struct.pack(">I", 0) + fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    header += bytes(128 - len(header))
    return header + struct.pack(">I", len(tags)) + table + data


WHITE = (b"wtpt", tag_xyz(0.9642, 1.0, 0.8249))


def wide():
    """Builds an RGB profile with the primaries of Adobe RGB (1998), adapted to D50, and gamma 2.2."""
    columns = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]
    tags = [(b"desc", tag_description("wide")), WHITE]
    tags += [(name, tag_xyz(*column)) for name, column in zip([b"rXYZ", b"gXYZ", b"bXYZ"], columns)]
    tags += [(name, tag_gamma(2.2)) for name in [b"rTRC", b"gTRC", b"bTRC"]]
    return profile(b"RGB ", b"XYZ ", b"mntr", tags)


def grey():
    """Builds a grey profile with gamma 1.8."""
    return profile(b"GRAY", b"XYZ ", b"mntr", [(b"desc", tag_description("grey")), WHITE, (b"kTRC", tag_gamma(1.8))])


def inks():
    """Builds a CMYK profile: curves for the inks, and a table of Lab colours.

    The table is linear between its ends. In a curved table, implementations differ in how they interpolate.
    """
    steps, knots = 3, 17
    curve = struct.pack(f">{knots}H", *(round(65535 * (i / (knots - 1)) ** 1.4) for i in range(knots)))
    table = b""
    for index in range(steps**4):
        c, m, y, k = (index // steps**p % steps / (steps - 1) for p in (3, 2, 1, 0))
        light = 96 - 28 * c - 38 * m - 6 * y - 22 * k
        a = -25 * c + 45 * m - 3 * y
        b = -30 * c - 4 * m + 55 * y
        table += struct.pack(">3H", round(light * 652.8), round((a + 128) * 256), round((b + 128) * 256))
    lut = b"mft2\0\0\0\0" + bytes([4, 3, steps, 0])
    lut += b"".join(fixed(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    lut += struct.pack(">2H", knots, 2) + curve * 4 + table + struct.pack(">2H", 0, 65535) * 3
    return profile(b"CMYK", b"Lab ", b"prtr", [(b"desc", tag_description("inks")), WHITE, (b"A2B0", lut)])


def colours(mode):
    """Makes a picture of all hues and all depths."""
    picture = Image.new(mode, (SIZE, SIZE))
    for y in range(SIZE):
        for x in range(SIZE):
            u, v, w = (255 * t // (SIZE - 1) for t in (x, y, (x * 5 + y * 3) % SIZE))
            value = {"L": (u + v) // 2, "RGB": (u, v, w), "CMYK": (u, v, w, (x * y * 7) % 160)}[mode]
            picture.putpixel((x, y), value)
    return picture


def blocks(mode):
    """Makes flat blocks of 8 px in colours of medium depth. JPEG decoders round differently, and profiles stretch dark colours."""
    small = Image.new(mode, (5, 5))
    for y in range(5):
        for x in range(5):
            u, v, w = (60 + 35 * t for t in (x, y, (x * 3 + y * 2) % 5))
            small.putpixel((x, y), (u, v, w) if mode == "RGB" else (u, v, w, 20 * (x + y) // 2))
    return small.resize((40, 40), Image.Resampling.NEAREST)


def tiff(order, entries, strips):
    """Builds a TIFF file. Writes the numbers of entries as 16 bits if they fit, and pairs of numbers as fractions."""
    entries = {**entries, 273: [0] * len(strips), 279: [len(strip) for strip in strips]}

    def value(numbers):
        if isinstance(numbers[0], tuple):
            flat = [n for pair in numbers for n in pair]
            return 5, struct.pack(f"{order}{len(flat)}I", *flat)
        kind, letter = (3, "H") if max(numbers) < 65536 else (4, "I")
        return kind, struct.pack(f"{order}{len(numbers)}{letter}", *numbers)

    at = 8 + 2 + 12 * len(entries) + 4
    at += sum(len(data) for _, data in map(value, entries.values()) if len(data) > 4)
    entries[273] = [at + sum(map(len, strips[:i])) for i in range(len(strips))]
    table, rest = b"", b""
    for tag, numbers in sorted(entries.items()):
        kind, data = value(numbers)
        table += struct.pack(f"{order}HHI", tag, kind, len(numbers))
        if len(data) > 4:
            table += struct.pack(f"{order}I", 8 + 2 + 12 * len(entries) + 4 + len(rest))
            rest += data
        else:
            table += data + bytes(4 - len(data))
    header = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    return header + struct.pack(f"{order}H", len(entries)) + table + bytes(4) + rest + b"".join(strips)


def palette_tiff(order, bits, scale):
    """Builds a palette TIFF. Its indices have `bits` bits, its rows do not end at a byte, its colours are 8-bit times `scale`."""
    width, count = SIZE - 1, 1 << bits
    rows = b""
    for y in range(SIZE):
        row = "".join(f"{(x * 3 + y * 5) % count:0{bits}b}" for x in range(width))
        row += "0" * (-len(row) % 8)
        rows += bytes(int(row[i : i + 8], 2) for i in range(0, len(row), 8))
    colours = [scale * ((i * step + start) % 256) for start, step in [(9, 37), (200, 91), (30, 59)] for i in range(count)]
    entries = {256: [width], 257: [SIZE], 258: [bits], 259: [1], 262: [3], 277: [1], 278: [SIZE], 320: colours}
    return tiff(order, entries, [rows])


def ycbcr_tiff(columns, rows, more):
    """Builds a YCbCr TIFF of one-colour blocks, in strips of two rows of blocks. Neither side is a multiple of the block."""
    width, height, strips = SIZE + 1, SIZE - 1, []
    for top in range(0, height, 2 * rows):
        strip = b""
        for y in range(top, min(top + 2 * rows, height), rows):
            for x in range(0, width, columns):
                inside = [(x + i, y + j) for j in range(rows) for i in range(columns)]
                strip += bytes((x * 13 + y * 7) % 200 + 28 for x, y in inside)
                strip += bytes([60 + 10 * x % 140, 70 + 8 * y % 130])
        strips.append(zlib.compress(strip))
    entries = {256: [width], 257: [height], 258: [8, 8, 8], 259: [8], 262: [6], 277: [3], 278: [2 * rows]}
    return tiff("<", {**entries, 530: [columns, rows], **more}, strips)


def expect(name, picture, icc=None):
    if icc is not None:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        # LittleCMS's shortcuts differ from the full computation by up to 14 of 255. The intent is relative colorimetric,
        # because LittleCMS lifts the black of perceptual profiles of version 2. The profiles have one table only.
        flags, intent = ImageCms.Flags.NOOPTIMIZE, ImageCms.Intent.RELATIVE_COLORIMETRIC
        target = ImageCms.createProfile("sRGB")
        picture = ImageCms.profileToProfile(
            picture, source, target, renderingIntent=intent, outputMode="RGB", flags=flags
        )
    picture.convert("RGB").save(HERE / f"{name}.srgb.png")


def main():
    rgb, luma, cmyk = colours("RGB"), colours("L"), colours("CMYK")

    rgb.save(HERE / "wide_png.png", icc_profile=wide())
    expect("wide_png", rgb, wide())
    blocks("RGB").save(HERE / "wide_jpeg.jpg", icc_profile=wide(), quality=100, subsampling=0)
    expect("wide_jpeg", Image.open(HERE / "wide_jpeg.jpg"), wide())
    rgb.save(HERE / "wide_tiff.tif", icc_profile=wide())
    expect("wide_tiff", rgb, wide())
    rgb.save(HERE / "wide_webp.webp", icc_profile=wide(), lossless=True)
    expect("wide_webp", rgb, wide())

    luma.save(HERE / "grey_png.png", icc_profile=grey())
    # LittleCMS yields colours. Pillow's grey to RGB loses the profile's white.
    expect("grey_png", luma, grey())
    luma.save(HERE / "grey_rgb_profile.png", icc_profile=wide())
    expect("grey_rgb_profile", luma.convert("RGB"), wide())

    cmyk.save(HERE / "cmyk_jpeg.jpg", quality=100)
    adobe = (HERE / "cmyk_jpeg.jpg").read_bytes()
    expect("cmyk_jpeg", Image.open(HERE / "cmyk_jpeg.jpg"))
    # The same bytes become YCCK if Adobe's marker says 2 instead of 0.
    at = adobe.index(b"Adobe") + 11
    assert adobe[at] == 0
    (HERE / "ycck_jpeg.jpg").write_bytes(adobe[:at] + b"\2" + adobe[at + 1 :])
    expect("ycck_jpeg", Image.open(HERE / "ycck_jpeg.jpg"))
    # The inks are inverted even without the marker.
    start = adobe.index(b"\xff\xee")
    (HERE / "cmyk_plain_jpeg.jpg").write_bytes(adobe[:start] + adobe[start + 16 :])
    expect("cmyk_plain_jpeg", Image.open(HERE / "cmyk_plain_jpeg.jpg"))
    blocks("CMYK").save(HERE / "inks_jpeg.jpg", quality=100, icc_profile=inks())
    expect("inks_jpeg", Image.open(HERE / "inks_jpeg.jpg"), inks())
    blocks("CMYK").save(HERE / "inks_tiff.tif", icc_profile=inks(), compression="tiff_adobe_deflate")
    expect("inks_tiff", blocks("CMYK"), inks())

    rgb.quantize(16).save(HERE / "palette_png.png")
    expect("palette_png", rgb.quantize(16))
    rgb.quantize(16).save(HERE / "palette_tiff.tif")
    for bits, order, scale in [(1, ">", 257), (2, "<", 256), (4, ">", 257)]:
        (HERE / f"palette{bits}_tiff.tif").write_bytes(palette_tiff(order, bits, scale))
    studio = {529: [(2126, 10000), (7152, 10000), (722, 10000)]}
    # The saturation is halved. libtiff drops fractions of Cb and Cr before multiplying, and even numbers leave no fraction.
    studio[532] = [(16, 1), (235, 1), (128, 1), (382, 1), (128, 1), (382, 1)]
    (HERE / "ycbcr22_tiff.tif").write_bytes(ycbcr_tiff(2, 2, {}))
    (HERE / "ycbcr41_tiff.tif").write_bytes(ycbcr_tiff(4, 1, {}))
    (HERE / "ycbcr_studio_tiff.tif").write_bytes(ycbcr_tiff(1, 1, studio))
    blocks("RGB").convert("YCbCr").save(HERE / "ycbcr_tiff.tif")
    blocks("RGB").convert("YCbCr").save(HERE / "ycbcr_jpeg_tiff.tif", compression="jpeg", quality=95)
    luma_alpha = Image.merge("LA", (luma, luma.rotate(90)))
    luma_alpha.save(HERE / "grey_alpha_tiff.tif")
    luma_alpha.save(HERE / "grey_alpha_tiff.srgb.png")
    notes = Image.Exif()
    notes[0x0110], notes[0x0112] = "Camera of a test", 6
    notes.get_ifd(0x8769).update({0x9003: "2026:11:25 12:00:00", 0x927C: b"of the maker"})
    notes.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0)})
    # Pillow writes only directories that have an entry. It finds their offsets by itself.
    notes[0x8769] = notes[0x8825] = 0
    page = rgb.crop((0, 0, 8, 12))
    page.save(HERE / "exif_tiff.tif", exif=notes)
    page.save(HERE / "pages_tiff.tif", save_all=True, append_images=[colours("L")])
    expect("pages_tiff", page)
    page.transpose(Image.Transpose.ROTATE_270).save(HERE / "exif_tiff.srgb.png")
    for path in sorted(HERE.glob("*palette*_tiff.tif")) + sorted(HERE.glob("ycbcr*.tif")):
        expect(path.stem, Image.open(path))
    luma.convert("1").save(HERE / "bits_png.png")
    expect("bits_png", luma.convert("1"))
    luma.convert("1").save(HERE / "bits_tiff.tif")
    expect("bits_tiff", luma.convert("1"))
    rgb.save(HERE / "progressive_jpeg.jpg", quality=100, subsampling=0, progressive=True)
    expect("progressive_jpeg", Image.open(HERE / "progressive_jpeg.jpg"))
    luma.save(HERE / "grey_jpeg.jpg", quality=100)
    expect("grey_jpeg", Image.open(HERE / "grey_jpeg.jpg"))
    rgb.resize((45, 30)).save(HERE / "restart_jpeg.jpg", quality=60, restart_marker_blocks=2)
    # One scan for each component. `zune-jpeg` does not see the last one.
    scans = subprocess.run(["jpegtran", "-scans", "/dev/stdin", HERE / "restart_jpeg.jpg"], input=b"0;1;2;", capture_output=True, check=True)
    (HERE / "scans_jpeg.jpg").write_bytes(scans.stdout)
    rgb.save(HERE / "lossy_webp.webp", quality=100)
    expect("lossy_webp", Image.open(HERE / "lossy_webp.webp"))


if __name__ == "__main__":
    main()
