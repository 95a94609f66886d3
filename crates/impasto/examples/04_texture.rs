//! A texture from a picture of gravel. Copies of it fit together without a seam.

use std::path::Path;

use impasto::{Network, Options, Padding, Session, picture};

fn main() -> impasto::Result<()> {
    let inputs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let gravel = picture::load(&inputs.join("gravel.jpg"))?.resized(128, 128).image;

    // The sides of a tile are multiples of what the deepest style layer needs: 16 for relu5_1.
    let options = Options { steps: 30, padding: Padding::Circular, ..Options::default() };
    let mut session = Session::texture(&Network::embedded()?, &gravel, 96, 96, &options)?;
    while session.step()?.is_none() {}
    picture::save(&std::env::temp_dir().join("04_texture.png"), session.image())
}
