//! Regions, several styles, kept and transparent parts, and statistics taken beforehand, by the
//! public interface.
#![allow(clippy::unwrap_used, reason = "the lint knows a test function, but not its helpers")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use impasto::{
    Image, Init, Mask, Network, Objective, Options, Padding, Progress, Scales, Session, SizeOptions, Style,
    StyleLossKind, StylePicture, StyleStatistics, Subject, picture, prepare,
};

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::embedded().unwrap());

/// Returns a photo and two paintings, 64 px on their longest side.
fn pictures() -> [Image; 3] {
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let image = |name: &str| {
        let image = picture::load(&examples.join(name)).unwrap();
        prepare(&image, &image, &SizeOptions { size: 64, ..SizeOptions::default() }).unwrap().0.image
    };
    ["astronaut.jpg", "starry_night.jpg", "brick.jpg"].map(image)
}

fn run(subject: &Subject, styles: &[Style], options: &Options) -> Session {
    let mut session = Session::with_styles(&NETWORK, subject, styles, options).unwrap();
    session.run(&mut |_: &Progress<'_>| ControlFlow::Continue(())).unwrap();
    session
}

fn start(subject: &Subject, styles: &[Style], options: &Options) -> Session {
    Session::with_styles(&NETWORK, subject, styles, options).unwrap()
}

fn message(subject: &Subject, styles: &[Style], options: &Options) -> String {
    Session::with_styles(&NETWORK, subject, styles, options).err().unwrap().to_string()
}

/// The left half is white.
fn left(image: &Image) -> Mask {
    let (width, height) = (image.width(), image.height());
    Mask::new(width, height, (0..width * height).map(|i| f32::from(u8::from(i % width < width / 2))).collect())
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance * b.abs(), "{a} is not {b}");
}

#[test]
fn each_region_is_nearer_to_its_own_style() {
    let [content, night, brick] = pictures();
    let (left, right) = (left(&content), left(&content).inverted());
    let options = Options { steps: 40, scales: Scales::Count(1), ..Options::default() };
    let styles = [Style::from(&night).with_region(left.clone()), Style::from(&brick).with_region(right.clone())];
    let result = run(&(&content).into(), &styles, &options).picture();
    let options =
        Options { init: Init::Image(result), style_loss: StyleLossKind::Gram, objective: Objective::Paper, ..options };
    let loss = |style: &Image, region: &Mask| {
        start(&(&content).into(), &[Style::from(style).with_region(region.clone())], &options).losses().style_loss()
    };
    assert!(loss(&night, &left) < 0.5 * loss(&brick, &left));
    assert!(loss(&brick, &right) < 0.5 * loss(&night, &right));
}

#[test]
fn what_is_kept_is_the_content_to_the_bit() {
    let [content, night, _] = pictures();
    let subject = Subject { keep: Some(left(&content)), ..(&content).into() };
    for init in [Init::Content, Init::Noise] {
        let options = Options { steps: 8, scales: Scales::Count(2), init, ..Options::default() };
        let session = run(&subject, &[(&night).into()], &options);
        assert_eq!(session.picture(), *session.image());
        let mut painted = 0;
        for (i, (a, b)) in session.picture().as_slice().iter().zip(content.as_slice()).enumerate() {
            if i / 3 % content.width() < content.width() / 2 {
                assert_eq!(a, b);
            } else {
                painted += usize::from(a != b);
            }
        }
        assert!(painted > 3000, "{painted}");
    }
}

#[test]
fn hidden_colours_change_nothing() {
    let [content, night, _] = pictures();
    let opacity = || Some(left(&content));
    let mut repainted = [content.clone(), night.clone()];
    for image in &mut repainted {
        let width = image.width();
        let pixels = image.as_mut_slice().chunks_exact_mut(3).enumerate();
        pixels.filter(|(i, _)| i % width >= width / 2).for_each(|(_, pixel)| pixel.copy_from_slice(&[0.0, 255.0, 0.0]));
    }
    let losses = |content: &Image, style: &Image| {
        let subject = Subject { opacity: opacity(), ..content.into() };
        let style = StylePicture { opacity: Some(left(style)), ..style.into() };
        run(&subject, &[style.into()], &Options { steps: 3, ..Options::default() }).losses().clone()
    };
    let plain = losses(&content, &night);
    assert_eq!(losses(&repainted[0], &repainted[1]), plain);
    let seen = run(&(&content).into(), &[(&night).into()], &Options { steps: 3, ..Options::default() });
    assert_ne!(*seen.losses(), plain);
}

#[test]
fn a_blend_of_1_and_0_is_the_first_style_and_masks_of_1_are_none() {
    let [content, night, brick] = pictures();
    let options = Options { steps: 3, ..Options::default() };
    let plain = {
        let mut session = Session::new(&NETWORK, &content, &night, &options).unwrap();
        session.run(&mut |_: &Progress<'_>| ControlFlow::Continue(())).unwrap();
        session.picture()
    };
    let blend = [Style::from(&night), Style::from(&brick).with_weight(0.0)];
    assert_eq!(run(&(&content).into(), &blend, &options).picture(), plain);
    let full = || Some(Mask::filled(5, 7, 1.0));
    let subject = Subject { opacity: full(), keep: Some(Mask::filled(3, 3, 0.0)), ..(&content).into() };
    let picture = StylePicture { opacity: full(), mask: full(), ..(&night).into() };
    let style = Style::from(picture).with_region(Mask::filled(9, 9, 1.0));
    assert_eq!(run(&subject, &[style], &options).picture(), plain);
    let even = [Style::from(&night), Style::from(&brick)];
    assert_ne!(run(&(&content).into(), &even, &options).picture(), plain);
}

#[test]
fn a_blend_lies_between() {
    let [content, night, brick] = pictures();
    let night = picture::resize(&night, content.width(), content.height());
    for style_loss in [StyleLossKind::Gram, StyleLossKind::Moments] {
        let paper = Options::for_objective(Objective::Paper);
        let options = Options { init: Init::Image(night.clone()), steps: 1, style_loss, ..paper };
        let losses = |styles: &[Style]| start(&(&content).into(), styles, &options).losses().style.clone();
        // From one of two styles, their mean is half as far as the other style. Losses are squares.
        let (to_mean, to_other) = (losses(&[(&night).into(), (&brick).into()]), losses(&[(&brick).into()]));
        for ((_, to_mean), (_, to_other)) in to_mean.iter().zip(&to_other) {
            close(*to_mean, to_other / 4.0, 1e-5);
        }
    }
}

#[test]
fn turned_copies_are_averaged() {
    let [content, night, _] = pictures();
    let style = |rotations| -> [Style; 1] { [StylePicture { rotations, ..(&night).into() }.into()] };
    let options = Options { steps: 1, ..Options::default() };
    let losses = |rotations| start(&(&content).into(), &style(rotations), &options).losses().style.clone();
    let all: Vec<_> = [1, 2, 4, 8].map(losses).into();
    for (i, a) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|b| a != b));
    }
    assert_eq!(message(&(&content).into(), &style(3), &options), "`style_rotations` is 3; give 1, 2, 4 or 8");
}

#[test]
fn a_style_file_does_what_its_picture_does() {
    let [content, night, _] = pictures();
    let folder = tempfile::tempdir().unwrap();
    for (style_loss, padding) in [
        (StyleLossKind::Moments, Padding::Replicate),
        (StyleLossKind::Gram, Padding::Zero),
        (StyleLossKind::Strokes, Padding::Replicate),
    ] {
        let options = Options { steps: 6, scales: Scales::Count(2), style_loss, padding, ..Options::default() };
        let path = folder.path().join("night.impasto-style");
        StyleStatistics::new(&NETWORK, &(&night).into(), 2, &options).unwrap().save(&path).unwrap();
        let statistics = Arc::new(StyleStatistics::load(&path).unwrap());
        assert_eq!(statistics.sizes(), [64, 32]);
        let size = night.width().max(night.height());
        let styles = [[Style::from_statistics(statistics.clone(), size)], [Style::from(&night)]];
        let [from_file, from_picture] = styles.each_ref().map(|style| start(&(&content).into(), style, &options));
        assert_eq!(from_file.losses(), from_picture.losses());
        let [from_file, from_picture] = styles.each_ref().map(|style| run(&(&content).into(), style, &options));
        assert_eq!(from_file.losses(), from_picture.losses());
        assert_eq!(from_file.picture(), from_picture.picture());

        let refused = |options: Options, size: usize| {
            message(&(&content).into(), &[Style::from_statistics(statistics.clone(), size)], &options)
        };
        let text = refused(options.clone(), 100);
        assert!(text.contains("64, 32 px, but those of 100 px are needed"), "{text}");
        let text = refused(Options { pooling: impasto::Pooling::Average, ..options.clone() }, 64);
        assert!(text.contains("style 1 were taken with the pooling max, not avg"), "{text}");
        let text = refused(Options { style_layers: vec!["relu3_2".parse().unwrap()], ..options }, 64);
        assert!(text.contains("not of relu3_2"), "{text}");
    }
}

#[test]
fn a_texture_comes_from_statistics_as_from_the_picture() {
    let [_, night, _] = pictures();
    for padding in [Padding::Circular, Padding::Replicate] {
        let options = Options { steps: 6, tv_weight: 0.02, padding, ..Options::default() };
        let statistics = Arc::new(StyleStatistics::new(&NETWORK, &(&night).into(), 2, &options).unwrap());
        let texture = |style: Style| {
            let mut session = Session::texture(&NETWORK, style, 128, 64, &options).unwrap();
            session.run(&mut |_: &Progress<'_>| ControlFlow::Continue(())).unwrap();
            (session.scales().len(), session.losses().clone(), session.picture())
        };
        let from_picture = texture((&night).into());
        assert_eq!(texture(Style::from_statistics(statistics.clone(), 64)), from_picture);
        assert_eq!(from_picture.0, 2);
        let unfit = Session::texture(&NETWORK, Style::from_statistics(statistics, 100), 128, 64, &options);
        let text = unfit.unwrap_err().to_string();
        assert!(text.starts_with("the statistics of style 1 are of 64, 32 px, but those of 100 px"), "{text}");
    }
}

#[test]
fn statistics_have_the_sizes_at_which_their_mask_leaves_something() {
    let [content, night, _] = pictures().map(|image| picture::resize(&image, 128, 128));
    let options = Options { content_weight: 0.0, init: Init::Noise, steps: 2, ..Options::default() };
    let corner = |side: usize| {
        Mask::new(128, 128, (0..128 * 128).map(|i| f32::from(u8::from(i % 128 < side && i / 128 < side))).collect())
    };
    for (side, sizes) in [(16, vec![128]), (32, vec![128, 64])] {
        let picture = StylePicture { mask: Some(corner(side)), ..(&night).into() };
        let statistics = StyleStatistics::new(&NETWORK, &picture, 2, &options).unwrap();
        assert_eq!(statistics.sizes(), sizes);
        let style = Style::from_statistics(Arc::new(statistics), 128);
        let session = start(&(&content).into(), std::slice::from_ref(&style), &options);
        assert_eq!(session.scales().len(), sizes.len());
        let two = Options { scales: Scales::Count(2), ..options.clone() };
        if sizes.len() == 1 {
            let text = message(&(&content).into(), &[style], &two);
            assert!(text.contains("are of 128 px, but those of 64 px are needed"), "{text}");
        }
    }
}

#[test]
fn statistics_are_taken_within_the_memory() {
    let [_, night, _] = pictures();
    let night = picture::resize(&night, 512, 400);
    let statistics = |memory: u64| {
        let options = Options { memory: Some(memory), threads: Some(2), ..Options::default() };
        StyleStatistics::new(&NETWORK, &(&night).into(), 1, &options)
    };
    let (whole, in_bands) = (statistics(1 << 30).unwrap(), statistics(300 << 20).unwrap());
    let start = |statistics: StyleStatistics| {
        let options = Options { scales: Scales::Count(1), ..Options::default() };
        let style = Style::from_statistics(Arc::new(statistics), 512);
        start(&(&picture::resize(&night, 64, 64)).into(), &[style], &options).losses().total
    };
    let [whole, in_bands] = [whole, in_bands].map(start);
    assert!((whole / in_bands - 1.0).abs() < 1e-9, "{whole} {in_bands}");
    let text = statistics(200 << 20).unwrap_err().to_string();
    assert!(text.starts_with("a picture of 512x400 px needs "), "{text}");
}

#[test]
fn masks_and_weights_that_leave_nothing_are_refused() {
    let [content, night, brick] = pictures();
    let options = Options::default();
    let subject = Subject::from(&content);
    let nowhere = Style::from(&night).with_region(Mask::filled(4, 4, 0.0));
    let text = message(&subject, &[nowhere], &options);
    assert!(text.starts_with("the mask leaves less than one position of relu1_1"), "{text}");
    let nothing = StylePicture { mask: Some(Mask::filled(4, 4, 0.0)), ..(&night).into() };
    let text = message(&subject, &[nothing.into()], &options);
    assert!(text.starts_with("the mask of the style picture leaves less than one position"), "{text}");
    let kept = Subject { keep: Some(Mask::filled(4, 4, 1.0)), ..subject.clone() };
    assert_eq!(
        message(&kept, &[(&night).into()], &options),
        "the mask of what is kept keeps all of the picture, and nothing is left to paint; make parts of it black"
    );
    let nearly = Subject { keep: Some(Mask::filled(4, 4, 0.9999)), ..subject.clone() };
    let text = message(&nearly, &[(&night).into()], &options);
    assert!(text.starts_with("the mask of what is kept leaves less than one position of relu"), "{text}");
    assert!(text.contains(" to paint at ") && text.contains("px; keep less, work at"), "{text}");
    let faint = Subject { opacity: Some(Mask::filled(4, 4, 0.0001)), ..subject.clone() };
    let text = message(&faint, &[(&night).into()], &options);
    assert!(text.starts_with("the opacity of the content picture leaves less than one position of relu"), "{text}");
    assert!(text.contains("make more of it opaque"), "{text}");
    let faint = StylePicture { opacity: Some(Mask::filled(4, 4, 0.0001)), ..(&night).into() };
    let text = message(&subject, &[faint.into()], &options);
    assert!(text.starts_with("the opacity of the style picture leaves less than one position of relu"), "{text}");
    let weightless = [Style::from(&night).with_weight(0.0), Style::from(&brick).with_weight(0.0)];
    assert!(message(&subject, &weightless, &options).contains("weight 0, like every style of its region"));
    assert!(message(&subject, &[Style::from(&night).with_weight(f64::NAN)], &options).contains("the weight NaN"));
    assert!(message(&subject, &[], &options).contains("is missing"));
}

/// Makes a photo and its styles, with a mask that leaves a square of so many pixels a side.
type Make<'a> = &'a dyn Fn(usize) -> (Subject, Vec<Style>);

#[test]
fn automatic_scales_begin_where_every_mask_leaves_something() {
    let [content, night, brick] = pictures().map(|image| picture::resize(&image, 128, 128));
    // Without content even 64 px are wanted. A part of 16 px is one position of the deepest layer
    // at 128 px, and a quarter of one at 64.
    let options = |scales| Options { content_weight: 0.0, init: Init::Noise, scales, steps: 2, ..Options::default() };
    let square = |side: usize| {
        Mask::new(128, 128, (0..128 * 128).map(|i| f32::from(u8::from(i % 128 < side && i / 128 < side))).collect())
    };
    let subject = Subject::from(&content);
    let with_regions = |side| {
        let region = square(side);
        let rest = Style::from(&brick).with_region(region.inverted());
        (subject.clone(), vec![Style::from(&night).with_region(region), rest])
    };
    let with_kept = |side| (Subject { keep: Some(square(side).inverted()), ..subject.clone() }, vec![(&night).into()]);
    let with_style_mask = |side| {
        let picture = StylePicture { mask: Some(square(side)), rotations: 4, ..(&night).into() };
        (subject.clone(), vec![picture.into()])
    };
    let cases: [(Make<'_>, &str); 3] = [
        (&with_regions, "the mask leaves less than one position of relu5_1 at 64x64 px"),
        (&with_kept, "the mask of what is kept leaves less than one position of relu5_1 to paint at 64x64 px"),
        (&with_style_mask, "the mask of the style picture leaves less than one position of relu5_1 at 64x64 px"),
    ];
    for (make, expected) in cases {
        for (side, scales) in [(16, 1), (32, 2)] {
            let (subject, styles) = make(side);
            let session = start(&subject, &styles, &options(Scales::Auto));
            assert_eq!(session.scales().len(), scales, "{side} px; {expected}");
        }
        let (subject, styles) = make(16);
        let text = message(&subject, &styles, &options(Scales::Count(2)));
        assert!(text.starts_with(expected) && text.contains("with fewer scales"), "{text}");
    }
}
