//! Several styles, regions, kept parts, style files.

use crate::common::{Desk, HEIGHT, Run, WIDTH, painting, photo, pixels, text};
use image::{GrayImage, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};

/// A desk with a second style, `other.png`, and `left.png`, white on the left half of the content.
fn desk() -> Desk {
    let desk = Desk::new();
    RgbImage::from_fn(40, 40, |x, y| if (x / 3 + y / 4) % 2 == 0 { Rgb([20, 120, 60]) } else { Rgb([230, 220, 240]) })
        .save(desk.path("other.png"))
        .unwrap();
    GrayImage::from_fn(WIDTH, HEIGHT, |x, _| Luma([if x < WIDTH / 2 { 255 } else { 0 }]))
        .save(desk.path("left.png"))
        .unwrap();
    desk
}

/// `content.png` with these arguments, in two steps.
fn run(desk: &Desk, args: &[&str]) -> Run {
    let all = [&["content.png", "-o", "out.png", "-q", "--json", "--steps", "2"], args].concat();
    let output = desk.output(&all);
    assert!(output.status.success(), "{all:?}: {}", text(&output.stderr));
    Run { json: serde_json::from_slice(&output.stdout).unwrap(), bytes: pixels(&desk.path("out.png")) }
}

#[track_caller]
fn refuses(desk: &Desk, args: &[&str], words: &[&str]) {
    let output = desk.output(args);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    for word in words {
        assert!(message.contains(word), "{args:?}: no `{word}` in: {message}");
    }
    assert!(!desk.path("out.png").exists());
}

#[test]
fn styles_are_blended_by_their_weights() {
    let desk = desk();
    let plain = run(&desk, &["style.png"]).bytes;
    assert_eq!(run(&desk, &["--style", "style.png"]).bytes, plain);
    assert_eq!(run(&desk, &["--style", "style.png:3", "--style", "other.png:0"]).bytes, plain);
    let even = run(&desk, &["--style", "style.png", "--style", "other.png"]).bytes;
    assert_eq!(run(&desk, &["--style", "style.png:2", "--style", "other.png:2"]).bytes, even);
    assert_ne!(run(&desk, &["--style", "style.png:9", "--style", "other.png"]).bytes, even);
    assert_ne!(plain, even);
}

#[test]
fn every_option_changes_the_picture() {
    let desk = desk();
    // Of the style's shape.
    GrayImage::from_fn(20, 20, |x, _| Luma([if x < 8 { 255 } else { 0 }])).save(desk.path("part.png")).unwrap();
    let plain = run(&desk, &["style.png"]).bytes;
    for args in [
        ["--mask", "left.png"],
        ["--keep", "left.png"],
        ["--style-mask", "part.png"],
        ["--style-rotations", "4"],
        ["--style-crop", "4,4,20,30"],
    ] {
        assert_ne!(run(&desk, &[&["style.png"], &args[..]].concat()).bytes, plain, "{args:?} changes nothing");
    }
    assert_eq!(run(&desk, &["style.png", "--style-mask", "none"]).bytes, plain);
    let whole = ["style.png", "--style-crop", "0%,0%,100%,100%", "--style-rotations", "1"];
    assert_eq!(run(&desk, &whole).bytes, plain);
    let two = run(&desk, &["--style", "style.png", "--style", "other.png", "--mask", "left.png"]).bytes;
    let swapped = run(&desk, &["--style", "other.png", "--style", "style.png", "--mask", "left.png"]).bytes;
    assert_ne!(two, swapped);
}

#[test]
fn kept_pixels_are_the_photos() {
    let desk = desk();
    run(&desk, &["style.png", "--keep", "left.png"]);
    let found = image::open(desk.path("out.png")).unwrap().into_rgb8();
    let mut painted = 0;
    for (x, y, pixel) in photo(WIDTH, HEIGHT).enumerate_pixels() {
        if x < WIDTH / 2 {
            assert_eq!(found.get_pixel(x, y), pixel);
        } else {
            painted += u32::from(found.get_pixel(x, y) != pixel);
        }
    }
    assert!(painted > WIDTH * HEIGHT / 4, "{painted}");
}

#[test]
fn a_style_file_stands_for_its_picture() {
    let desk = desk();
    let saved = desk.output(&["style", "save", "style.png", "-o", "s.impasto-style", "--size", "48"]);
    assert!(saved.status.success(), "{}", text(&saved.stderr));
    let (from_file, from_picture) = (run(&desk, &["s.impasto-style"]).json, run(&desk, &["style.png"]).json);
    assert_eq!(from_file["total_loss"], from_picture["total_loss"]);
    run(&desk, &["--style", "s.impasto-style:2", "--style", "other.png"]);

    std::fs::remove_file(desk.path("out.png")).unwrap();
    let args = ["content.png", "s.impasto-style", "-o", "out.png"];
    let with = |more: &[&'static str]| [&args[..], more].concat();
    refuses(&desk, &with(&["--size", "30"]), &["s.impasto-style", "48 px", "30 px are needed"]);
    refuses(&desk, &with(&["--pooling", "avg"]), &["pooling max"]);
    refuses(&desk, &with(&["--padding", "zero"]), &["padding replicate"]);
    refuses(&desk, &with(&["--style-loss", "gram"]), &["style loss moments"]);
    refuses(&desk, &with(&["--style-layers", "relu3_3"]), &["relu3_3"]);
    refuses(&desk, &with(&["--style-rotations", "2"]), &["s.impasto-style is a style file", "impasto style save"]);
    refuses(&desk, &["style", "save", "style.png", "-o", "s.png"], &["s.png", ".impasto-style"]);
    refuses(&desk, &["style", "save", "s.impasto-style", "-o", "t.impasto-style"], &["a style file already"]);
    let half = std::fs::read(desk.path("s.impasto-style")).unwrap();
    std::fs::write(desk.path("half.impasto-style"), &half[..half.len() / 2]).unwrap();
    refuses(
        &desk,
        &["content.png", "half.impasto-style", "-o", "out.png"],
        &["half.impasto-style", "not a usable style file"],
    );
}

/// The picture of a style in a frame is that of the style without it, and the recipe says so.
#[test]
fn a_uniform_frame_is_left_out_unless_it_is_to_stay() {
    let desk = Desk::new();
    let style = painting(60, 48);
    let mut framed = RgbImage::from_pixel(70, 57, Rgb([2, 1, 3]));
    image::imageops::replace(&mut framed, &style, 6, 4);
    // The frame's edge is soft: one line more on every side is left out with it.
    image::imageops::crop_imm(&style, 1, 1, 58, 46).to_image().save(desk.path("style.png")).unwrap();
    let wanted = desk.transfer(&[]).bytes;
    framed.save(desk.path("style.png")).unwrap();
    let kept = desk.transfer(&["--style-trim", "none"]).bytes;
    let trimmed = desk.transfer(&[]).bytes;
    assert!(trimmed == wanted && kept != wanted);

    let said = desk.output(&["content.png", "style.png", "-o", "out.png", "--steps", "1"]);
    let line =
        "style.png: its uniform frame is left out (5 px above, 6 below, 7 left, 5 right); --style-trim none keeps it";
    assert!(text(&said.stderr).lines().any(|found| found == line), "{}", text(&said.stderr));
    let recipe = text(&desk.output(&["recipe", "out.png"]).stdout);
    assert!(recipe.contains("\"trim\": \"auto\""), "{recipe}");
    // A rectangle that is asked for is taken as it is.
    let cut =
        desk.output(&["content.png", "style.png", "-o", "out.png", "--steps", "1", "--style-crop", "0%,0%,90%,100%"]);
    assert!(!text(&cut.stderr).contains("frame"), "{}", text(&cut.stderr));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let desk = desk();
    painting(30, 10).save(desk.path("wide.png")).unwrap();
    let out = ["-o", "out.png"];
    let with = |args: &[&'static str]| [&["content.png"], args, &out[..]].concat();
    refuses(&desk, &with(&[]), &["STYLE"]);
    refuses(&desk, &with(&["style.png", "--style", "other.png"]), &["--style", "cannot be used with"]);
    refuses(&desk, &with(&["--style", "style.png:-1"]), &["--style", "at least 0"]);
    refuses(&desk, &with(&["--style", "style.png:0"]), &["--style", "weight 0"]);
    let two = ["--style", "style.png:2", "--style", "other.png", "--mask", "left.png"];
    refuses(&desk, &with(&two), &["--mask", "leave the weights out"]);
    refuses(&desk, &with(&["style.png", "--mask", "wide.png"]), &["wide.png is 30x10 px", "shape"]);
    GrayImage::new(WIDTH, HEIGHT).save(desk.path("black.png")).unwrap();
    refuses(
        &desk,
        &with(&["style.png", "--mask", "black.png"]),
        &["black.png: the mask leaves less than one position"],
    );
    refuses(&desk, &with(&["style.png", "--mask", "absent.png"]), &["no file absent.png"]);
    refuses(&desk, &with(&["style.png", "--style-rotations", "3"]), &["--style-rotations", "1, 2, 4 or 8"]);
    refuses(&desk, &with(&["style.png", "--style-crop", "30,0,20,20"]), &["--style-crop 30,0,20,20", "style.png"]);
    let masks = ["style.png", "--style-mask", "none", "--style-mask", "none"];
    refuses(&desk, &with(&masks), &["--style-mask", "2 times for 1"]);
    let three = ["--style", "style.png", "--style", "other.png", "--style", "other.png", "--mask", "left.png"];
    refuses(&desk, &with(&three), &["left.png", "#ffffff", "red, green, blue"]);
}

#[test]
fn white_paint_on_an_empty_layer_is_a_mask() {
    let desk = desk();
    let layer = |x: u32, half: u32| LumaA([255u8, if x < half { 255 } else { 0 }]);
    image::ImageBuffer::from_fn(WIDTH, HEIGHT, |x, _| layer(x, WIDTH / 2)).save(desk.path("layer.png")).unwrap();
    GrayImage::from_fn(20, 20, |x, _| Luma([if x < 8 { 255 } else { 0 }])).save(desk.path("part.png")).unwrap();
    image::ImageBuffer::from_fn(20, 20, |x, _| layer(x, 8)).save(desk.path("part-layer.png")).unwrap();
    let two = ["--style", "style.png", "--style", "other.png"];
    let cases = [
        (vec!["style.png"], "--mask", "left.png", "layer.png"),
        (two.to_vec(), "--mask", "left.png", "layer.png"),
        (vec!["style.png"], "--keep", "left.png", "layer.png"),
        (vec!["style.png"], "--style-mask", "part.png", "part-layer.png"),
    ];
    for (styles, option, grey, layer) in cases {
        let with = |mask: &str| run(&desk, &[&styles[..], &[option, mask]].concat()).bytes;
        assert!(with(layer) == with(grey), "{option} {styles:?}");
    }
}

#[test]
fn masks_that_cannot_be_meant_are_refused() {
    let desk = desk();
    let three = |x: u32| [[255, 0, 0], [0, 255, 0], [0, 0, 255]][(3 * x / WIDTH) as usize];
    RgbImage::from_fn(WIDTH, HEIGHT, |x, _| Rgb(three(x))).save(desk.path("three.png")).unwrap();
    RgbaImage::from_fn(WIDTH, HEIGHT, |x, _| {
        let [r, g, b] = three(x);
        Rgba([r, g, b, if x == 3 { 0 } else { 255 }])
    })
    .save(desk.path("hole.png"))
    .unwrap();
    let [first, second] = [["--style", "style.png"], ["--style", "other.png"]];
    let two = [&["content.png", "-o", "out.png"], &first[..], &second[..]].concat();
    let words = ["three.png: the mask has the colour #ff0000 at 0,0", "none of the 2 styles", "white, black"];
    refuses(&desk, &[&two[..], &["--mask", "three.png"]].concat(), &words);
    let words = ["hole.png: the mask is transparent at 3,0", "none of the 3 styles", "red, green, blue"];
    refuses(&desk, &[&two[..], &second[..], &["--mask", "hole.png"]].concat(), &words);

    GrayImage::from_pixel(WIDTH, HEIGHT, Luma([255])).save(desk.path("white.png")).unwrap();
    let keep = ["content.png", "style.png", "-o", "out.png", "--keep", "white.png"];
    refuses(&desk, &keep, &["white.png: the mask of what is kept keeps all of the picture", "make parts of it black"]);
    image::ImageBuffer::from_pixel(WIDTH, HEIGHT, LumaA([90u8, 1])).save(desk.path("faint.png")).unwrap();
    let words = ["faint.png: the opacity of the content picture leaves less", "make more of it opaque"];
    refuses(&desk, &["faint.png", "style.png", "-o", "out.png"], &words);
    refuses(&desk, &["content.png", "faint.png", "-o", "out.png"], &["faint.png: the opacity of the style picture"]);
}

#[test]
fn a_photo_of_one_colour_is_told_of() {
    let desk = desk();
    RgbImage::from_pixel(WIDTH, HEIGHT, Rgb([9, 120, 200])).save(desk.path("uni.png")).unwrap();
    let told = |args: &[&str]| {
        let output = desk.output(&[&["-o", "out.png", "--steps", "1", "--scales", "1"], args].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr).contains("uni.png: it has one colour, and so will the result; --init noise paints")
    };
    assert!(told(&["uni.png", "style.png"]));
    assert!(!told(&["uni.png", "style.png", "--init", "noise"]));
    assert!(!told(&["uni.png", "style.png", "--init", "content.png"]));
    assert!(!told(&["content.png", "style.png"]));
}
