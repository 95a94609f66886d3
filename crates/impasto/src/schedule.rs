//! From coarse to fine: the sizes a picture is worked on at, and the steps at each.

use crate::{Image, Init, Layer, Options, Scales};

/// One size, and what is done there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Width of the picture in pixels.
    pub width: usize,
    /// Height of the picture in pixels.
    pub height: usize,
    /// Steps of the optimiser, at least 1.
    pub steps: usize,
}

/// The longest side, in pixels, that [`Scales::Auto`] goes down to at least: where the network's deep layers still see what the photo
/// shows. Lower, the composition drifts.
const COARSEST: usize = 224;

/// The scales of a run, coarsest first; the last has the content's size.
pub(crate) fn schedule(content: &Image, style: &Image, options: &Options) -> Vec<Scale> {
    let count = match options.scales {
        Scales::Count(count) => count,
        // The picture's details would be lost on the way down.
        Scales::Auto if matches!(options.init, Init::Image(_)) => 1,
        Scales::Auto => {
            let all = options.content_layers.iter().chain(&options.style_layers);
            let least = all.map(|weighted| Layer::min_side(weighted.layer)).max().unwrap_or(1);
            let fits = |halvings: usize| {
                let shortest = [content, style].map(|image| image.width().min(image.height())).into_iter().min();
                let longest = content.width().max(content.height());
                longest >> halvings >= COARSEST && shortest.is_some_and(|side| side >> halvings >= least)
            };
            1 + (1..usize::BITS as usize).take_while(|&halvings| fits(halvings)).count()
        }
    };
    // More scales than steps would leave some without any.
    let count = count.min(options.steps);
    (0..count)
        .map(|i| {
            let (width, height) = halved((content.width(), content.height()), count - 1 - i);
            // An equal share; what cannot be divided goes to the coarse end, where a step costs least.
            let steps = options.steps / count + usize::from(i < options.steps % count);
            Scale { width, height, steps }
        })
        .collect()
}

/// A size after some halvings, rounded, at least one pixel.
pub(crate) fn halved((width, height): (usize, usize), halvings: usize) -> (usize, usize) {
    let factor = 0.5f64.powi(halvings as i32);
    let side = |side: usize| ((side as f64 * factor).round() as usize).max(1);
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(content: (usize, usize), style: (usize, usize), options: &Options) -> Vec<(usize, usize)> {
        let image = |(width, height)| Image::filled(width, height, [0.0; 3]);
        schedule(&image(content), &image(style), options).iter().map(|scale| (scale.width, scale.height)).collect()
    }

    #[test]
    fn the_coarsest_scale_still_shows_the_composition() {
        let options = Options::default();
        assert_eq!(sizes((320, 200), (320, 200), &options), [(320, 200)]);
        assert_eq!(sizes((512, 341), (512, 512), &options), [(256, 171), (512, 341)]);
        assert_eq!(sizes((1000, 1024), (512, 512), &options), [(250, 256), (500, 512), (1000, 1024)]);
        // relu5_1 needs 16 px of both pictures.
        assert_eq!(sizes((1024, 40), (512, 512), &options), [(512, 20), (1024, 40)]);
        assert_eq!(sizes((1024, 1024), (40, 512), &options), [(512, 512), (1024, 1024)]);
        let start = Init::Image(Image::filled(9, 9, [0.0; 3]));
        assert_eq!(sizes((512, 512), (512, 512), &Options { init: start, ..options }), [(512, 512)]);
    }

    #[test]
    fn steps_are_shared_and_none_is_lost() {
        let image = Image::filled(64, 48, [0.0; 3]);
        let steps = |scales, steps| -> Vec<usize> {
            let options = Options { scales: Scales::Count(scales), steps, ..Options::default() };
            schedule(&image, &image, &options).iter().map(|scale| scale.steps).collect()
        };
        assert_eq!(steps(1, 7), [7]);
        assert_eq!(steps(3, 11), [4, 4, 3]);
        assert_eq!(steps(3, 2), [1, 1]);
    }
}
