//! Two styles, each in a part of the photo. A third part stays as it is.

use std::path::Path;

use impasto::{Image, Mask, Network, Options, Session, Style, Subject, picture};

const SIZE: usize = 96;

fn load(name: &str) -> impasto::Result<Image> {
    let inputs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let picture = picture::load(&inputs.join(name))?;
    let (width, height) = picture::fit(picture.width(), picture.height(), SIZE);
    Ok(picture.resized(width, height).image)
}

/// A mask that is 1 in the columns where `is_inside` says so.
fn columns(image: &Image, is_inside: impl Fn(usize) -> bool) -> Mask {
    let (width, height) = (image.width(), image.height());
    let weights = (0..width * height).map(|i| if is_inside(i % width) { 1.0 } else { 0.0 });
    Mask::new(width, height, weights.collect())
}

fn main() -> impasto::Result<()> {
    let photo = load("astronaut.jpg")?;
    let middle = photo.width() / 2;
    let styles = [
        Style::from(&load("starry_night.jpg")?).with_region(columns(&photo, |x| x < middle)),
        Style::from(&load("brick.jpg")?).with_region(columns(&photo, |x| x >= middle)),
    ];
    let keep = Some(columns(&photo, |x| x.abs_diff(middle) < 8));
    let subject = Subject { keep, ..Subject::from(&photo) };

    let options = Options { steps: 8, ..Options::default() };
    let mut session = Session::with_styles(&Network::embedded()?, &subject, &styles, &options)?;
    while session.step()?.is_none() {}
    picture::save(&std::env::temp_dir().join("03_styles_and_regions.png"), session.image())
}
