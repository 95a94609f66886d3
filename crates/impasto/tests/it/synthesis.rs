//! Textures, tiles, reconstructions and sheets, by the public interface.
#![allow(clippy::unwrap_used, reason = "the lint knows a test function, but not its helpers")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use impasto::{
    Image, InspectOptions, Layer, Network, Options, Order, Padding, Progress, Scales, Session, View, WeightedLayer,
    inspect, picture,
};

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::embedded().unwrap());

/// Returns an example, `size` pixels on its longest side.
fn example(name: &str, size: usize) -> Image {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples")).join(name);
    let image = picture::load(&path).unwrap();
    let (width, height) = picture::fit(image.width(), image.height(), size);
    picture::resize(&image.image, width, height)
}

fn run(session: &mut Session) {
    session.run(&mut |_: &Progress<'_>| ControlFlow::Continue(())).unwrap();
}

fn layers(names: &[&str]) -> Vec<WeightedLayer> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// Cuts off a border of `margin` pixels.
fn inner(image: &Image, margin: usize) -> Image {
    let (width, height) = (image.width() - 2 * margin, image.height() - 2 * margin);
    let rows = image.as_slice().chunks_exact(3 * image.width()).skip(margin).take(height);
    Image::new(width, height, rows.flat_map(|row| &row[3 * margin..][..3 * width]).copied().collect())
}

/// Returns the mean absolute difference of neighbours across the joint of two copies, divided by
/// that inside, to the right and below.
fn seams(image: &Image) -> [f64; 2] {
    let (width, height) = (image.width(), image.height());
    let at = |x: usize, y: usize, c: usize| f64::from(image.as_slice()[3 * (y % height * width + x % width) + c]);
    let mean = |xs: std::ops::Range<usize>, ys: std::ops::Range<usize>, (right, down): (usize, usize)| {
        let count = (3 * xs.len() * ys.len()) as f64;
        let places = ys.flat_map(|y| xs.clone().flat_map(move |x| (0..3).map(move |c| (x, y, c))));
        places.map(|(x, y, c)| (at(x + right, y + down, c) - at(x, y, c)).abs()).sum::<f64>() / count
    };
    [
        mean(width - 1..width, 0..height, (1, 0)) / mean(0..width - 1, 0..height, (1, 0)),
        mean(0..width, height - 1..height, (0, 1)) / mean(0..width, 0..height - 1, (0, 1)),
    ]
}

#[test]
fn only_a_tile_has_no_seam() {
    // Its frame is cut off, because the texture would have the frame's edges too.
    let style = inner(&example("starry_night.jpg", 96), 8);
    let texture = |padding| {
        let options = Options { steps: 40, padding, tv_weight: 0.02, ..Options::default() };
        let mut session = Session::texture(&NETWORK, &style, 80, 64, &options).unwrap();
        run(&mut session);
        session.picture()
    };
    let [right, below] = seams(&texture(Padding::Circular));
    assert!(right < 1.25 && below < 1.25, "{right} {below}");
    let [right, below] = seams(&texture(Padding::Replicate));
    assert!(right > 1.6 && below > 1.6, "{right} {below}");
}

#[test]
fn a_texture_comes_close_to_its_style_at_any_size_on_any_number_of_threads() {
    let style = example("gravel.jpg", 48);
    let texture = |seed, threads, padding| {
        let options = Options { steps: 20, seed, threads: Some(threads), padding, ..Options::default() };
        let mut session = Session::texture(&NETWORK, &style, 64, 32, &options).unwrap();
        let start = session.losses().clone();
        run(&mut session);
        assert!(session.losses().content.is_empty());
        assert!(session.losses().style_in_units() < 0.5 * start.style_in_units());
        session.picture()
    };
    for padding in [Padding::Circular, Padding::Replicate] {
        let once = texture(1, 1, padding);
        assert_eq!((once.width(), once.height()), (64, 32));
        assert!(once == texture(1, 3, padding), "{padding:?}");
        assert!(once != texture(2, 1, padding), "{padding:?}");
    }
}

#[test]
fn what_cannot_be_a_tile_is_refused_at_once() {
    let style = example("gravel.jpg", 48);
    let options = Options { padding: Padding::Circular, ..Options::default() };
    let error = Session::texture(&NETWORK, &style, 100, 64, &options).err().unwrap().to_string();
    assert!(error.starts_with("a picture of 100x64 px cannot wrap around: relu5_1 needs "), "{error}");
    let shallow = Options { style_layers: layers(&["relu1_1", "relu3_1"]), ..options.clone() };
    assert!(Session::texture(&NETWORK, &style, 100, 64, &shallow).is_ok());
    // A margin does not make the style large enough.
    let error = Session::texture(&NETWORK, &example("gravel.jpg", 15), 32, 32, &options).err().unwrap().to_string();
    assert_eq!(error, "the style picture is 15x15 px; relu5_1 needs at least 16 px a side");
}

#[test]
fn a_layer_finds_the_photo_again() {
    let photo = example("astronaut.jpg", 48);
    let distance = |image: &Image| -> f64 {
        image.as_slice().iter().zip(photo.as_slice()).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    };
    let reconstruct = |names: &[&str]| {
        let options = Options {
            content_layers: layers(names),
            content_weight: 1.0,
            tv_weight: 1e-3,
            steps: 60,
            scales: Scales::Count(1),
            ..Options::default()
        };
        let mut session = Session::reconstruct(&NETWORK, &photo, &options).unwrap();
        let start = session.losses().content_loss();
        assert!(session.losses().style.is_empty());
        let noise = distance(session.image());
        run(&mut session);
        (session.losses().content_loss() / start, distance(session.image()) / noise)
    };
    let (shallow_loss, shallow) = reconstruct(&["relu1_1", "relu2_1:0.5"]);
    let (deep_loss, deep) = reconstruct(&["relu4_1"]);
    assert!(shallow_loss < 0.01 && deep_loss < 0.1, "{shallow_loss} {deep_loss}");
    // The deeper the layer, the less is left.
    assert!(shallow < 0.05 && shallow < 0.2 * deep, "{shallow} {deep}");
}

#[test]
fn a_sheet_shows_maps_and_gram_matrices() {
    let photo = example("chelsea.jpg", 64);
    let layers: Vec<Layer> = ["relu1_1", "conv3_2"].map(|name| name.parse().unwrap()).to_vec();
    let options = InspectOptions { layers, ..InspectOptions::default() };
    let sheet = |view, order| inspect(&NETWORK, &photo, &InspectOptions { view, order, ..options.clone() }).unwrap();

    let maps = sheet(View::Maps { count: Some(16) }, Order::Strength);
    // A row has eight maps. Those of 64 and 16 px are enlarged to 128. Each has a border of 1 px
    // and 8 px to the next.
    assert_eq!(maps.width(), 8 + 8 * (128 + 2 + 8));
    let [first, second] = [0, 1].map(|i| {
        let x = 8 + 1 + i * (128 + 2 + 8);
        let rows =
            (8 + 16 + 8 + 1..).take(40).map(|y| maps.as_slice()[3 * (y * maps.width() + x)..][..3 * 128].to_vec());
        rows.collect::<Vec<_>>().concat()
    });
    assert!(first != second);
    assert!(first.iter().chain(&second).all(|v| (0.0..=255.0).contains(v)) && second.iter().any(|&v| v > 200.0));
    assert!(maps != sheet(View::Maps { count: Some(16) }, Order::Channel));
    let all = sheet(View::Maps { count: None }, Order::Channel);
    assert_eq!(all.width(), 8 + 32 * (128 + 2 + 8));

    let gram = sheet(View::Gram, Order::Channel);
    assert_eq!(gram.width(), 8 + 2 * (512 + 2 + 8));
    // The matrix is symmetric about the diagonal.
    let at = |x: usize, y: usize| &gram.as_slice()[3 * ((9 + y) * gram.width() + 9 + x)..][..3];
    assert!((0..512).step_by(7).all(|i| (0..i).all(|j| at(i, j) == at(j, i))));
    assert!(at(0, 0) != at(60, 0) || at(0, 0) != at(200, 0));
    // The brightest square has the last of the colour map's 255 levels.
    assert!((0..512).any(|i| at(i, i) == [253.0, 231.0, 37.0]), "no entry is the largest");
}

#[test]
fn sheets_of_nothing_or_too_much_are_refused() {
    let photo = example("chelsea.jpg", 20);
    let message = |options: InspectOptions| inspect(&NETWORK, &photo, &options).unwrap_err().to_string();
    let default = InspectOptions::default;
    assert_eq!(message(InspectOptions { layers: vec![], ..default() }), "`layers` is empty; give a layer");
    let view = View::Maps { count: Some(0) };
    assert_eq!(message(InspectOptions { view, ..default() }), "`maps` is 0; give at least 1");
    let view = View::Maps { count: Some(65) };
    assert_eq!(
        message(InspectOptions { view, ..default() }),
        "`maps` is 65; relu1_1 has 64, give at most that, or all"
    );
    assert_eq!(message(default()), "the picture to inspect is 20x13 px; relu5_1 needs at least 16 px a side");
}
