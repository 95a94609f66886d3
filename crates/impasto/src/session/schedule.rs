//! From coarse to fine: the sizes that a picture is worked on at, and the steps at each.
//!
//! The composition is found at a size at which the network's deep layers see all of it. Every
//! further scale only adds detail. Each scale is half the next, so style pictures are halved along.

use impasto_engine::{Image, Layer, Padding};

use crate::brush;
use crate::error::{Error, Result, nearest_multiple};
use crate::options::{Init, Options, Scales};

/// One size, and the steps there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Width of the picture in pixels.
    pub width: usize,
    /// Height of the picture in pixels.
    pub height: usize,
    /// Steps of the optimiser, at least 1.
    pub steps: usize,
}

/// Longest side, in pixels, of the coarsest scale of [`Scales::Auto`]. The network's deep layers
/// still see what the photo shows. At smaller sizes the composition drifts.
const COARSEST: usize = 224;

/// Steps of a scale after which strokes are matched anew. A search takes about as long as two steps
/// at 512 px.
pub(crate) const RENEWAL: usize = 15;

/// The same without a photo. Noise gathers into large shapes only while they are small.
pub(crate) const COARSEST_TEXTURE: usize = 64;

/// Returns the scales of a run, coarsest first. The last has the content's size.
///
/// With [`Padding::Circular`] the sides of the others are multiples of what the poolings need.
/// `styles` holds width and height of the style pictures. `leave_something` gets a number of
/// halvings and the content's size after them. It says whether masks and statistics leave something
/// of every layer, and [`Scales::Auto`] begins where they do.
///
/// Errors: more scales than the pictures have room for; a content that should wrap around, but
/// cannot.
pub(crate) fn schedule(
    content: &Image,
    styles: &[(usize, usize)],
    options: &Options,
    leave_something: &dyn Fn(usize, (usize, usize)) -> bool,
) -> Result<Vec<Scale>> {
    let style_layers = options.active_style_layers();
    let content_layers = [style_layers.as_slice(), &options.active_content_layers()].concat();
    let deepest = content_layers.iter().copied().max();
    let multiple = match deepest {
        Some(layer) if options.padding == Padding::Circular => {
            let (width, height) = (content.width(), content.height());
            if !(width | height).is_multiple_of(layer.min_side()) {
                return Err(Error::Uneven { width, height, layer });
            }
            layer.min_side()
        }
        _ => 1,
    };
    let has_room = |(width, height): (usize, usize), layers: &[Layer], halvings: usize| {
        let side = width.min(height) >> halvings;
        layers.iter().all(|layer| side >= layer.min_side())
    };
    let fits = |halvings: usize| {
        has_room((content.width(), content.height()), &content_layers, halvings)
            && styles.iter().all(|&style| has_room(style, &style_layers, halvings))
    };
    let most = 1 + (1..usize::BITS as usize).take_while(|&halvings| fits(halvings)).count();
    let size = |halvings: usize| {
        let (width, height) = halved((content.width(), content.height()), halvings);
        (nearest_multiple(width, multiple), nearest_multiple(height, multiple))
    };
    let wanted = wanted(content.width().max(content.height()), options).min(most);
    let count = match options.scales {
        // A picture that is too small gets an error when its targets are taken. That error names
        // the picture and the layer.
        _ if !fits(0) => 1,
        Scales::Count(count) if count > most => {
            let advice = if most == 1 { "give 1".to_owned() } else { format!("give at most {most}") };
            let found = format!("is {count}, too many for pictures of this size, which is halved from scale to scale");
            return Err(Error::option("scales", format!("{found}; {advice}")));
        }
        Scales::Count(_) => wanted,
        Scales::Auto => 1 + (1..wanted).take_while(|&halvings| leave_something(halvings, size(halvings))).count(),
    };
    let scales = (0..count).map(|i| {
        let (width, height) = size(count - 1 - i);
        // All scales have an equal share. The remainder goes to the coarse end, where a step costs
        // least.
        let steps = options.steps / count + usize::from(i < options.steps % count);
        Scale { width, height, steps }
    });
    Ok(scales.collect())
}

/// Returns how many scales a content has with `longest` pixels on its longest side, if the pictures
/// have room for them.
pub(crate) fn wanted(longest: usize, options: &Options) -> usize {
    let count = match options.scales {
        Scales::Count(count) => count,
        // The picture's details would be lost on the way down.
        Scales::Auto if matches!(options.init, Init::Image(_)) => 1,
        Scales::Auto => {
            let coarsest = if options.content_weight > 0.0 { COARSEST } else { COARSEST_TEXTURE };
            let coarsest = coarsest as f64 * brush::coarsest(options.brush);
            1 + (1..usize::BITS).take_while(|&halvings| (longest >> halvings) as f64 >= coarsest).count()
        }
    };
    // With more scales than steps, some would have none.
    count.min(options.steps)
}

/// Halves a size several times, rounded, to at least one pixel.
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
        schedule(&image(content), &[style], options, &|_, _| true)
            .unwrap()
            .iter()
            .map(|scale| (scale.width, scale.height))
            .collect()
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
        let with_brush = |brush| sizes((512, 341), (512, 512), &Options { brush, ..Options::default() });
        assert_eq!(with_brush(100.0), [(128, 85), (256, 171), (512, 341)]);
        assert_eq!(with_brush(0.0), [(512, 341)]);
        let start = Init::Image(Image::filled(9, 9, [0.0; 3]));
        assert_eq!(sizes((512, 512), (512, 512), &Options { init: start, ..options }), [(512, 512)]);
    }

    #[test]
    fn a_texture_begins_smaller_and_can_wrap_around_at_every_scale() {
        let texture = Options { content_weight: 0.0, init: Init::Noise, ..Options::default() };
        assert_eq!(sizes((256, 180), (512, 512), &texture), [(64, 45), (128, 90), (256, 180)]);
        let circular = Options { padding: Padding::Circular, ..texture };
        assert_eq!(sizes((272, 112), (512, 512), &circular), [(64, 32), (144, 64), (272, 112)]);
        let message = |(width, height)| {
            let image = Image::filled(width, height, [0.0; 3]);
            schedule(&image, &[(64, 64)], &circular, &|_, _| true).unwrap_err().to_string()
        };
        assert_eq!(
            message((100, 64)),
            "a picture of 100x64 px cannot wrap around: relu5_1 needs sides that are multiples of 16 px; the nearest size is 96x64 px"
        );
        assert!(message((5, 40)).ends_with("16x48 px"), "{}", message((5, 40)));
    }

    #[test]
    fn automatic_scales_begin_where_the_masks_leave_something() {
        let content = Image::filled(1024, 512, [0.0; 3]);
        let count = |scales: Scales, least: usize| {
            let options = Options { scales, ..Options::default() };
            let leave_something = |halvings: usize, (width, height): (usize, usize)| {
                assert_eq!((width << halvings, height << halvings), (1024, 512));
                width >= least
            };
            schedule(&content, &[(512, 512)], &options, &leave_something).unwrap().len()
        };
        assert_eq!([256, 257, 513, 2000].map(|least| count(Scales::Auto, least)), [3, 2, 1, 1]);
        assert_eq!(count(Scales::Count(3), 2000), 3);
    }

    #[test]
    fn more_scales_than_there_is_room_for_are_refused() {
        let message = |side: usize, count: usize| {
            let image = Image::filled(side, 100, [0.0; 3]);
            let options = Options { scales: Scales::Count(count), ..Options::default() };
            schedule(&image, &[(side, 100)], &options, &|_, _| true).unwrap_err().to_string()
        };
        let found = "too many for pictures of this size, which is halved from scale to scale";
        assert_eq!(message(100, 4), format!("`scales` is 4, {found}; give at most 3"));
        assert_eq!(message(20, usize::MAX), format!("`scales` is {}, {found}; give 1", usize::MAX));
        // Shallow layers have room for more. The style's size does not matter if no loss looks at
        // it.
        let content = Image::filled(40, 40, [0.0; 3]);
        let options = Options { style_weight: 0.0, scales: Scales::Count(3), steps: 9, ..Options::default() };
        assert_eq!(schedule(&content, &[(1, 1)], &options, &|_, _| true).unwrap().len(), 3);
    }

    #[test]
    fn steps_are_shared_and_none_is_lost() {
        let image = Image::filled(64, 48, [0.0; 3]);
        let steps = |scales, steps| -> Vec<usize> {
            let options = Options { scales: Scales::Count(scales), steps, ..Options::default() };
            schedule(&image, &[(64, 48)], &options, &|_, _| true).unwrap().iter().map(|scale| scale.steps).collect()
        };
        assert_eq!(steps(1, 7), [7]);
        assert_eq!(steps(2, 7), [4, 3]);
        assert_eq!(steps(2, 1), [1]);
    }
}
