//! The same pair at three strengths, from a touch of the painting to the painting's manner alone.

use std::path::Path;

use impasto::{Network, Options, Session, SizeOptions, content_weight_at, picture, prepare};

fn main() -> impasto::Result<()> {
    let inputs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let photo = picture::load(&inputs.join("coffee.jpg"))?;
    let painting = picture::load(&inputs.join("starry_night.jpg"))?;
    let (content, style) = prepare(&photo, &painting, &SizeOptions { size: 96, ..SizeOptions::default() })?;

    // Layers are unpacked when they are first used, so all runs share one network.
    let network = Network::embedded()?;
    for strength in [20.0, 50.0, 80.0] {
        let options = Options { steps: 8, content_weight: content_weight_at(strength), ..Options::default() };
        let mut session = Session::new(&network, &content.image, &style.image, &options)?;
        while session.step()?.is_none() {}
        let losses = session.losses();
        println!(
            "strength {strength}: {:.0} % of the photo lost, {:.0} % of the way to the style left",
            100.0 * losses.content_in_units(),
            100.0 * losses.style_in_units()
        );
        picture::save(&std::env::temp_dir().join(format!("02_strength_{strength}.png")), session.image())?;
    }
    Ok(())
}
