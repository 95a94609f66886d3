//! Matched strokes and the brush, by the public interface.
#![allow(clippy::unwrap_used, reason = "the lint knows a test function, but not its helpers")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use impasto::{
    Image, Mask, MeasureOptions, Network, Options, Padding, Progress, Scales, Session, SizeOptions, Style,
    StyleLossKind, StylePicture, StyleStatistics, Subject, content_weight_at, measure, picture, prepare,
};

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::embedded().unwrap());

fn options() -> Options {
    Options { style_loss: StyleLossKind::Strokes, scales: Scales::Count(1), steps: 18, ..Options::default() }
}

/// The astronaut and the starry night, `size` pixels on their longest side, for strokes of this
/// width.
fn pair(size: usize, brush: f64) -> (Image, Image) {
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let image = |name| picture::load(&examples.join(name)).unwrap();
    let options = SizeOptions { size, brush, ..SizeOptions::default() };
    let (content, style) = prepare(&image("astronaut.jpg"), &image("starry_night.jpg"), &options).unwrap();
    (content.image, style.image)
}

fn run(subject: &Subject, styles: &[Style], options: &Options) -> Session {
    let mut session = Session::with_styles(&NETWORK, subject, styles, options).unwrap();
    session.run(&mut |_: &Progress<'_>| ControlFlow::Continue(())).unwrap();
    session
}

/// Left and right half of a picture.
fn halves(image: &Image) -> [Mask; 2] {
    let (width, height) = (image.width(), image.height());
    [0, 1].map(|side| {
        let is_inside = |i: usize| usize::from(i % width >= width / 2) == side;
        Mask::new(width, height, (0..width * height).map(|i| f32::from(u8::from(is_inside(i)))).collect())
    })
}

/// The sum of the loss of strokes over its layers.
fn strokes(session: &Session) -> f64 {
    session.losses().strokes.iter().map(|(_, loss)| loss).sum()
}

#[test]
fn a_run_draws_strokes_to_their_matches_at_any_number_of_threads() {
    let (content, style) = pair(64, 50.0);
    let with = |style_loss, threads| {
        let options = Options { style_loss, threads: Some(threads), ..options() };
        run(&(&content).into(), &[(&style).into()], &options)
    };
    let [one, three] = [1, 3].map(|threads| with(StyleLossKind::Strokes, threads));
    assert_eq!((one.picture(), one.losses()), (three.picture(), three.losses()));
    let layers: Vec<String> = one.losses().strokes.iter().map(|(layer, _)| layer.to_string()).collect();
    assert_eq!(layers, ["relu3_1", "relu4_1"]);
    let moments = with(StyleLossKind::Moments, 2);
    assert!(moments.losses().strokes.is_empty());
    // Both measured in the same way, with matches of their own.
    let measured = |session: &Session| {
        let options = MeasureOptions { style_loss: StyleLossKind::Strokes, ..MeasureOptions::default() };
        let losses = measure(&NETWORK, &session.picture(), &content, &style, &options).unwrap().losses;
        losses.strokes.iter().map(|(_, loss)| loss).sum::<f64>()
    };
    assert!(measured(&one) < 0.9 * measured(&moments), "{} {}", measured(&one), measured(&moments));
}

#[test]
fn matches_stay_within_their_region() {
    let (content, night) = pair(64, 50.0);
    let [left, right] = halves(&content);
    let at_start =
        |styles: &[Style]| strokes(&Session::with_styles(&NETWORK, &(&content).into(), styles, &options()).unwrap());
    let in_halves = |of_left: &Image, of_right: &Image| {
        at_start(&[Style::from(of_left).with_region(left.clone()), Style::from(of_right).with_region(right.clone())])
    };
    // The photo as its own style has no strokes left to draw. If the left half had matches in it
    // too, it would have none either.
    let [of_left, of_right] = [in_halves(&night, &content), in_halves(&content, &night)];
    let whole = in_halves(&night, &night);
    assert!(of_left > 0.1 * whole && of_right > 0.1 * whole, "{of_left} {of_right} {whole}");
    assert!(((of_left + of_right) / whole - 1.0).abs() < 1e-6, "{of_left} {of_right} {whole}");
    assert!(in_halves(&content, &content) < 1e-9 * whole);
    // With both styles everywhere, most positions have themselves as their match. The photo's map
    // is the larger one, and gives only as many positions as the painting's.
    let blend = at_start(&[(&night).into(), (&content).into()]);
    assert!(blend < 0.5 * whole, "{blend} {whole}");
    let alone = at_start(&[Style::from(&night), Style::from(&content).with_weight(0.0)]);
    assert_eq!(alone, at_start(&[(&night).into()]));
}

#[test]
fn what_a_mask_leaves_out_of_a_style_is_no_match() {
    let (content, _) = pair(64, 50.0);
    let [left, right] = halves(&content);
    // The left half of the photo, with one of its halves or its turned copies as the style.
    let at_start = |style: StylePicture| {
        let style = Style::from(style).with_region(left.clone());
        strokes(&Session::with_styles(&NETWORK, &(&content).into(), &[style], &options()).unwrap())
    };
    let of_half = |mask: &Mask| at_start(StylePicture { mask: Some(mask.clone()), ..(&content).into() });
    let [same, other] = [&left, &right].map(of_half);
    assert!(other > 0.0 && same < 1e-9 * other, "{same} {other}");
    let turned = at_start(StylePicture { rotations: 4, ..(&content).into() });
    assert!(turned < 1e-9 * other, "{turned}");
}

#[test]
fn a_mask_that_leaves_only_the_border_leaves_matches() {
    // The map of relu3_1 has 18 positions in a row. From 17 on, those at the border are left out.
    let (content, night) = pair(72, 50.0);
    let (width, height) = (content.width(), content.height());
    let at_border = |v: usize, side: usize| v < 4 || v + 4 >= side;
    let is_inside = |i: usize| at_border(i % width, width) || at_border(i / width, height);
    let border = Mask::new(width, height, (0..width * height).map(|i| f32::from(u8::from(is_inside(i)))).collect());
    let at_start = |mask| {
        let style = StylePicture { mask, ..(&content).into() };
        Session::with_styles(&NETWORK, &(&night).into(), &[style.into()], &options()).unwrap().losses().clone()
    };
    let [of_border, of_all] = [Some(border), None].map(|mask| at_start(mask).strokes[0].1);
    assert!(of_border > 0.0 && of_border != of_all, "{of_border} {of_all}");
}

#[test]
fn more_strength_is_never_more_photo_or_less_style() {
    let (content, style) = pair(64, 50.0);
    let losses = [0.0, 25.0, 50.0, 75.0, 100.0].map(|strength| {
        let options = Options { content_weight: content_weight_at(strength), steps: 60, ..options() };
        let session = run(&(&content).into(), &[(&style).into()], &options);
        let losses = session.losses();
        [losses.content_in_units(), losses.style_in_units(), strokes(&session)]
    });
    for pair in losses.windows(2) {
        assert!((0..3).all(|i| if i == 0 { pair[0][i] <= pair[1][i] } else { pair[0][i] >= pair[1][i] }), "{losses:?}");
    }
    assert!(losses[0][0] < 0.02 && losses[4][1] < 0.1, "{losses:?}");
}

#[test]
fn a_style_file_of_moments_has_no_strokes_and_one_of_strokes_has_moments() {
    let (content, night) = pair(64, 50.0);
    let file = |style_loss| {
        let options = Options { style_loss, ..options() };
        let statistics = StyleStatistics::new(&NETWORK, &(&night).into(), 1, &options).unwrap();
        Style::from_statistics(Arc::new(statistics), 64)
    };
    let start = |style: Style, style_loss| {
        Session::with_styles(&NETWORK, &(&content).into(), &[style], &Options { style_loss, ..options() })
    };
    let text = start(file(StyleLossKind::Moments), StyleLossKind::Strokes).unwrap_err().to_string();
    assert!(text.contains("were taken with the style loss moments, not strokes"), "{text}");
    let [from_file, from_picture] = [file(StyleLossKind::Strokes), (&night).into()]
        .map(|style| start(style, StyleLossKind::Moments).unwrap().losses().clone());
    assert_eq!(from_file, from_picture);
}

#[test]
fn a_texture_and_a_tile_are_made_of_strokes() {
    let (_, night) = pair(64, 50.0);
    for padding in [Padding::Replicate, Padding::Circular] {
        let options = Options { padding, steps: 17, ..options() };
        let statistics = StyleStatistics::new(&NETWORK, &(&night).into(), 1, &options).unwrap();
        let texture = |style: Style| {
            let mut session = Session::texture(&NETWORK, style, 64, 48, &options).unwrap();
            let before = session.losses().total;
            session.run(&mut |_: &Progress<'_>| ControlFlow::Continue(())).unwrap();
            assert!(session.losses().total < 0.5 * before);
            (strokes(&session), session.picture())
        };
        let from_picture = texture((&night).into());
        assert!(from_picture == texture(Style::from_statistics(Arc::new(statistics), 64)), "{padding:?}");
    }
}

/// How much nearer a picture is to the style in the size of a broad brush than in that of a fine
/// one: the mean logarithm over the layers of the one style loss by the other.
fn broadness(picture: &Image, size: usize) -> f64 {
    let of = |brush: f64| -> Vec<f64> {
        let (content, style) = pair(size, brush);
        let losses = measure(&NETWORK, picture, &content, &style, &MeasureOptions::default()).unwrap().losses;
        losses.style.iter().map(|(_, loss)| *loss).collect()
    };
    let (fine, broad) = (of(0.0), of(100.0));
    fine.iter().zip(&broad).map(|(fine, broad)| (fine / broad).ln()).sum::<f64>() / fine.len() as f64
}

/// The strokes of a broad brush are those of a larger style. The photo's layout stays.
#[test]
#[ignore = "runs at four sizes: a minute"]
fn a_broader_brush_has_broader_strokes_at_every_size() {
    for size in [96, 128, 192, 256] {
        let found = [0.0, 50.0, 100.0].map(|brush| {
            let (content, style) = pair(size, brush);
            let options = Options { brush, scales: Scales::Auto, steps: 30, ..Options::default() };
            let session = run(&(&content).into(), &[(&style).into()], &options);
            (broadness(&session.picture(), size), session.losses().content_in_units())
        });
        assert!(found[0].0 < found[1].0 && found[1].0 < found[2].0, "{size}: {found:?}");
        assert!(found.iter().all(|(_, content)| (0.6..1.6).contains(&(content / found[1].1))), "{size}: {found:?}");
    }
}
