//! A photo, painted like a painting. Everything else has a default. The result goes to the folder for
//! temporary files.

use std::path::Path;

use impasto::{Network, Options, Session, SizeOptions, picture, prepare};

fn main() -> impasto::Result<()> {
    let inputs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let photo = picture::load(&inputs.join("astronaut.jpg"))?;
    let painting = picture::load(&inputs.join("starry_night.jpg"))?;
    let (content, style) = prepare(&photo, &painting, &SizeOptions { size: 128, ..SizeOptions::default() })?;

    let options = Options { steps: 10, ..Options::default() };
    let mut session = Session::new(&Network::embedded()?, &content.image, &style.image, &options)?;
    while session.step()?.is_none() {}
    picture::save(&std::env::temp_dir().join("01_transfer.png"), session.image())
}
