//! Bad input is one line that names the file or option, what was found and what to do; status 2;
//! no file left.

use std::fs;
use std::path::Path;

use crate::common::{Desk, WEIGHTS, photo, text};
use serde_json::Value;

/// Asserts that the program refuses `args` with one line that holds all of `words`, and touches
/// nothing.
#[track_caller]
fn refuses(desk: &Desk, args: &[&str], words: &[&str]) {
    let before = contents(desk);
    let output = desk.output(args);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
    assert_eq!(text(&output.stdout), "", "{args:?}");
    assert!(message.starts_with("impasto: ") && message.ends_with('\n'), "{args:?}: {message:?}");
    assert_eq!(message.lines().count(), 1, "{args:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{args:?}: no `{word}` in: {message}");
    }
    assert!(contents(desk) == before, "{args:?} changed the folder: {:?}", desk.files());
}

fn contents(desk: &Desk) -> Vec<(String, Vec<u8>)> {
    desk.files().into_iter().map(|name| (name.clone(), fs::read(desk.path(&name)).unwrap_or_default())).collect()
}

/// Refused as content, as style, as start, and by `measure`.
#[track_caller]
fn refuses_picture(desk: &Desk, name: &str, words: &[&str]) {
    refuses(desk, &[name, "style.png", "-o", "out.png"], words);
    refuses(desk, &["content.png", name, "-o", "out.png"], words);
    refuses(desk, &["content.png", "style.png", "-o", "out.png", "--init", name], words);
    refuses(desk, &["measure", name, "--content", "content.png", "--style", "style.png"], words);
    refuses(desk, &["measure", "content.png", "--content", name, "--style", "style.png"], words);
    refuses(desk, &["measure", "content.png", "--content", "content.png", "--style", name], words);
}

/// Refused as an option of the transfer.
#[track_caller]
fn refuses_option(desk: &Desk, option: &str, value: &str, words: &[&str]) {
    let args = ["content.png", "style.png", "-o", "out.png", option, value];
    refuses(desk, &args, &[&[option], words].concat());
}

#[test]
fn a_missing_picture() {
    refuses_picture(&Desk::new(), "absent.png", &["absent.png"]);
}

#[test]
fn a_folder() {
    let desk = Desk::new();
    fs::create_dir(desk.path("pictures.png")).unwrap();
    refuses_picture(&desk, "pictures.png", &["pictures.png", "folder"]);
}

#[test]
fn a_text_called_jpg() {
    let desk = Desk::new();
    fs::write(desk.path("notes.jpg"), "Dear diary, today I painted nothing at all.\n").unwrap();
    refuses_picture(&desk, "notes.jpg", &["notes.jpg", "not a picture"]);
}

#[test]
fn an_empty_file() {
    let desk = Desk::new();
    fs::write(desk.path("empty.png"), "").unwrap();
    refuses_picture(&desk, "empty.png", &["empty.png is empty (0 bytes)"]);
    refuses(&desk, &["recipe", "empty.png"], &["empty.png is empty (0 bytes)"]);
}

#[test]
fn a_picture_of_more_pixels_than_the_memory_can_read() {
    let desk = Desk::new();
    photo(1200, 1000).save(desk.path("large.png")).unwrap();
    let words = ["large.png is 1200x1000 px", "reading it takes 6", "60.0 MiB may be used"];
    let memory = ["--memory", "60MiB"];
    refuses(&desk, &[&["large.png", "style.png", "-o", "out.png"], &memory[..]].concat(), &words);
    refuses(&desk, &[&["content.png", "large.png", "-o", "out.png"], &memory[..]].concat(), &words);
    refuses(&desk, &[&["texture", "large.png", "-o", "out.png"], &memory[..]].concat(), &words);
    refuses(&desk, &[&["inspect", "large.png", "-o", "out.png"], &memory[..]].concat(), &words);
}

/// More than without a limit of memory: 108 megapixels, as phones make them.
#[test]
#[ignore = "reads a picture of 108 megapixels: half a minute and 4 GiB"]
fn a_picture_of_108_megapixels_is_read_within_the_memory() {
    let desk = Desk::new();
    let (width, height) = (12_000, 9_000);
    image::GrayImage::from_fn(width, height, |x, y| image::Luma([(x / 50 + y / 50) as u8]))
        .save(desk.path("phone.png"))
        .unwrap();
    let (output, peak) = desk.peak_memory(&[
        "phone.png",
        "style.png",
        "-o",
        "out.png",
        "--size",
        "32",
        "--steps",
        "1",
        "--memory",
        "4GiB",
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(peak < 4 << 30, "{peak}");
    let words = ["phone.png is 12000x9000 px", "reading it takes 3", "2.0 GiB may be used"];
    refuses(&desk, &["phone.png", "style.png", "-o", "out.png", "--memory", "2GiB"], &words);
}

#[test]
fn a_truncated_png() {
    let desk = Desk::new();
    let whole = fs::read(desk.path("content.png")).unwrap();
    fs::write(desk.path("half.png"), &whole[..whole.len() / 2]).unwrap();
    refuses_picture(&desk, "half.png", &["half.png", "damaged"]);
}

#[test]
fn a_picture_that_is_too_small_for_a_layer() {
    let desk = Desk::new();
    photo(3, 3).save(desk.path("tiny.png")).unwrap();
    let words = ["tiny.png", "3x3 px", "relu5_1 needs at least 16 px a side"];
    refuses(&desk, &["tiny.png", "style.png", "-o", "out.png"], &words);
    refuses(&desk, &["measure", "tiny.png", "--content", "content.png", "--style", "style.png"], &words);
    refuses(&desk, &["measure", "content.png", "--content", "content.png", "--style", "tiny.png"], &words);

    let args = ["content.png", "style.png", "-o", "out.png"];
    let small = [&args[..], &["--size", "10"]].concat();
    refuses(&desk, &small, &["content.png is 10x8 px at --size 10", "relu5_1 needs", "--size of at least 21"]);
    let scaled = [&args[..], &["--style-scale", "0.1"]].concat();
    refuses(&desk, &scaled, &["style.png is 5x5 px", "--style-scale 0.1", "relu5_1 needs at least 16"]);
    // Layers that are not looked at ask for nothing.
    let shallow = [&small[..], &["--style-layers", "relu2_1", "--content-weight", "0", "--steps", "1", "-q"]].concat();
    assert!(desk.output(&shallow).status.success());
}

#[test]
fn an_unknown_layer() {
    let desk = Desk::new();
    let words = ["no layer `relu6_1`", "relu5_1"];
    refuses_option(&desk, "--style-layers", "relu1_1,relu6_1", &words);
    refuses_option(&desk, "--content-layers", "relu6_1", &words);
    refuses_option(&desk, "--style-layers", "", &[]);
    refuses_option(&desk, "--style-layers", "relu1_1,", &[]);
    refuses_option(&desk, "--style-layers", "relu1_1,relu2_1,relu1_1", &["relu1_1"]);
}

#[test]
fn layer_weights_that_mean_nothing() {
    let desk = Desk::new();
    for layer in ["relu4_1:0", "relu4_1:-1", "relu4_1:nan", "relu4_1:inf", "relu4_1:", "relu4_1:x"] {
        refuses_option(&desk, "--style-layers", layer, &["relu4_1", "above 0"]);
    }
}

#[test]
fn numbers_that_mean_nothing() {
    let desk = Desk::new();
    for option in ["--size", "--steps", "--threads", "--save-every"] {
        for value in ["0", "-1", "1.5", "many"] {
            refuses_option(&desk, option, value, &[value, "a whole number of at least 1"]);
        }
    }
    for option in ["--content-weight", "--style-weight", "--tv-weight"] {
        for value in ["nan", "NaN", "-1", "-1e-3", "inf", "-inf", "x"] {
            refuses_option(&desk, option, value, &[value, "a finite number of at least 0"]);
        }
    }
    for value in ["0", "-1", "nan", "inf"] {
        refuses_option(&desk, "--style-scale", value, &[value, "a finite number above 0"]);
    }
    refuses_option(&desk, "--size", "40000", &["40000", "32768"]);
    refuses_option(&desk, "--threads", "5000", &["5000", "1024"]);
    refuses_option(&desk, "--seed", "-1", &["a whole number from 0"]);
    refuses_option(&desk, "--optimizer", "sgd", &["sgd", "lbfgs", "adam"]);
    refuses_option(&desk, "--pooling", "mean", &["mean", "max", "avg"]);
    refuses_option(&desk, "--objective", "cubist", &["cubist", "balanced", "paper"]);
    let measure = ["measure", "content.png", "--content", "content.png", "--style", "style.png"];
    for option in ["--threads", "--style-size"] {
        refuses(&desk, &[&measure[..], &[option, "0"]].concat(), &[option, "at least 1"]);
    }
}

#[test]
fn nothing_to_minimise() {
    let zeros = ["--content-weight", "0", "--style-weight", "0", "--tv-weight", "0"];
    let args = [&["content.png", "style.png", "-o", "out.png"], &zeros[..]].concat();
    refuses(&Desk::new(), &args, &["--content-weight", "--style-weight", "--tv-weight", "0"]);
}

#[test]
fn arguments_that_are_missing_or_unknown() {
    let desk = Desk::new();
    refuses(&desk, &[], &["--output", "CONTENT", "STYLE", "--help"]);
    refuses(&desk, &["content.png", "style.png"], &["--output"]);
    refuses(&desk, &["content.png", "style.png", "out.png"], &["out.png", "--output"]);
    refuses(&desk, &["content.png", "style.png", "-o", "out.png", "--sise", "3"], &["--sise", "--size"]);
    refuses(&desk, &["measure", "content.png"], &["--content", "--style"]);
    refuses(&desk, &["measure", "content.png", "--size", "3"], &["--size"]);
}

#[test]
fn an_output_that_cannot_be() {
    let desk = Desk::new();
    fs::create_dir(desk.path("folder.png")).unwrap();
    let output = |name| ["content.png", "style.png", "-o", name];
    refuses(&desk, &output("out"), &["out", "png"]);
    refuses(&desk, &output("out.gif"), &["out.gif", "png"]);
    refuses(&desk, &output("out.xyz"), &["out.xyz", "png"]);
    refuses(&desk, &output(""), &["--output"]);
    refuses(&desk, &output("folder.png"), &["folder.png"]);
    refuses(&desk, &output("absent/out.png"), &["absent"]);
    refuses(&desk, &output("content.png/out.png"), &["content.png/out.png"]);
}

#[test]
fn ways_to_write_that_a_format_does_not_have() {
    let desk = Desk::new();
    refuses_option(&desk, "--bit-depth", "12", &["needs 8 or 16"]);
    refuses_option(&desk, "--format", "gif", &["gif", "png", "jpeg", "tiff", "webp"]);
    for value in ["0", "101", "-1", "high"] {
        refuses_option(&desk, "--quality", value, &[value, "from 1 to 100"]);
    }
    refuses_option(&desk, "--quality", "90", &["for JPEG", "PNG"]);
    let jpeg = ["content.png", "style.png", "-o", "out.jpg", "--bit-depth", "16"];
    refuses(&desk, &jpeg, &["--bit-depth is 16, and JPEG has 8 bits; write PNG or TIFF"]);
    let both = ["content.png", "style.png", "-o", "out.png", "--size", "original", "--upscale"];
    refuses(&desk, &both, &["--upscale", "--size original"]);
    photo(16_390, 2).save(desk.path("wide.png")).unwrap();
    let shallow = ["--style-layers", "relu1_1", "--content-layers", "relu1_1"];
    let webp =
        [&["wide.png", "style.png", "-o", "out.webp", "--size", "original", "--style-scale", "0.01"], &shallow[..]];
    refuses(&desk, &webp.concat(), &["out.webp would be 16390x2 px", "16384", "--size"]);
}

#[test]
fn streams_that_cannot_be() {
    let desk = Desk::new();
    let words = ["`-` is given more than once"];
    refuses(&desk, &["-", "-", "-o", "out.png"], &words);
    refuses(&desk, &["-", "style.png", "-o", "out.png", "--init", "-"], &words);
    refuses(&desk, &["measure", "-", "--content", "-", "--style", "style.png"], &words);
    refuses(&desk, &["-", "style.png", "-o", "out.png"], &["standard input is empty (0 bytes)"]);
    refuses(&desk, &["content.png", "style.png", "-o", "-"], &["--format"]);
    let every = ["content.png", "style.png", "-o", "-", "--format", "png", "--save-every", "1"];
    refuses(&desk, &every, &["--save-every"]);
    refuses(&desk, &["content.png", "style.png", "-o", "-", "--format", "webp", "--bit-depth", "16"], &["WebP"]);
}

#[test]
#[cfg(unix)]
fn a_folder_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::new();
    let folder = desk.path("locked");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.join("trial"), "").is_err() {
        refuses(&desk, &["content.png", "style.png", "-o", "locked/out.png"], &["locked"]);
    } else {
        // Permissions do not bind root; the kernel's own file system does.
        assert!(Path::new("/proc/self").exists(), "neither a locked folder nor /proc to try");
        refuses(&desk, &["content.png", "style.png", "-o", "/proc/out.png"], &["/proc/out.png"]);
    }
}

#[test]
fn an_output_that_is_an_input() {
    let desk = Desk::new();
    photo(40, 40).save(desk.path("start.png")).unwrap();
    fs::create_dir(desk.path("sub")).unwrap();
    let args = |output| ["content.png", "style.png", "-o", output, "--init", "start.png"];
    for (output, input) in [
        ("content.png", "content.png"),
        ("style.png", "style.png"),
        ("start.png", "start.png"),
        ("./content.png", "content.png"),
        ("sub/../style.png", "style.png"),
        (desk.path("content.png").to_str().unwrap(), "content.png"),
    ] {
        refuses(&desk, &args(output), &[output, input, "--output"]);
    }
}

#[test]
#[cfg(unix)]
fn an_output_that_is_an_input_by_a_link() {
    let desk = Desk::new();
    std::os::unix::fs::symlink(desk.path("content.png"), desk.path("link.png")).unwrap();
    refuses(&desk, &["content.png", "style.png", "-o", "link.png"], &["link.png", "content.png", "--output"]);
    refuses(&desk, &["link.png", "style.png", "-o", "content.png"], &["link.png", "content.png", "--output"]);
    refuses(&desk, &["link.png", "style.png", "-o", "link.png"], &["link.png", "--output"]);
}

#[test]
fn a_picture_in_between_that_is_an_input() {
    let desk = Desk::new();
    photo(40, 40).save(desk.path("out-0004.png")).unwrap();
    let args = |every| ["out-0004.png", "style.png", "-o", "out.png", "--steps", "5", "--save-every", every];
    refuses(&desk, &args("2"), &["out-0004.png", "--output"]);
    refuses(&desk, &args("1"), &["out-0004.png", "--output"]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("out-0004.png", desk.path("link.png")).unwrap();
        let linked = [&["link.png"], &args("2")[1..]].concat();
        refuses(&desk, &linked, &["out-0004.png", "link.png", "--output"]);
    }
    assert!(desk.output(&[&args("3")[..], &["-q"]].concat()).status.success());
}

#[test]
fn weights_that_are_none() {
    let desk = Desk::new();
    refuses_weights(&desk, "absent.safetensors", &[]);
    fs::create_dir(desk.path("folder")).unwrap();
    refuses_weights(&desk, "folder", &["folder"]);
    fs::write(desk.path("notes.safetensors"), "Dear diary").unwrap();
    refuses_weights(&desk, "notes.safetensors", &[]);

    let whole = fs::read(WEIGHTS).unwrap();
    fs::write(desk.path("half.safetensors"), &whole[..whole.len() / 2]).unwrap();
    refuses_weights(&desk, "half.safetensors", &[]);
    fs::remove_file(desk.path("half.safetensors")).unwrap();
}

#[test]
fn weights_of_another_shape() {
    let desk = Desk::new();
    let mut weights = Weights::read();
    weights.header["conv1_1.weight"]["shape"] = serde_json::json!([64, 3, 9, 1]);
    weights.write(&desk.path("shape.safetensors"));
    refuses_weights(&desk, "shape.safetensors", &["conv1_1.weight", "64"]);
}

#[test]
fn weights_without_a_layer() {
    let desk = Desk::new();
    let mut weights = Weights::read();
    let tensor = weights.header.as_object_mut().unwrap().remove("conv3_2.bias").unwrap();
    // A safetensors file has no gaps: the bytes stay under another name.
    weights.header["another"] = tensor;
    weights.write(&desk.path("gap.safetensors"));
    refuses_weights(&desk, "gap.safetensors", &["conv3_2.bias"]);
}

#[test]
fn weights_that_are_not_numbers() {
    let desk = Desk::new();
    for tensor in ["conv2_1.codebook", "conv5_1.bias"] {
        let mut weights = Weights::read();
        let start = weights.header[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
        weights.data[start..start + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        weights.write(&desk.path("nan.safetensors"));
        refuses_weights(&desk, "nan.safetensors", &[tensor, "not a number"]);
    }
}

#[track_caller]
fn refuses_weights(desk: &Desk, name: &str, words: &[&str]) {
    let words = [&[name], words].concat();
    refuses(desk, &["content.png", "style.png", "-o", "out.png", "--weights", name], &words);
    let measure = ["measure", "content.png", "--content", "content.png", "--style", "style.png", "--weights", name];
    refuses(desk, &measure, &words);
}

/// The embedded weights, to be spoilt.
struct Weights {
    header: Value,
    data: Vec<u8>,
}

impl Weights {
    fn read() -> Weights {
        let file = fs::read(WEIGHTS).unwrap();
        let (length, rest) = file.split_at(8);
        let (header, data) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
        Weights { header: serde_json::from_slice(header).unwrap(), data: data.to_vec() }
    }

    fn write(&self, path: &Path) {
        let header = serde_json::to_vec(&self.header).unwrap();
        fs::write(path, [&(header.len() as u64).to_le_bytes(), &header[..], &self.data[..]].concat()).unwrap();
    }
}
