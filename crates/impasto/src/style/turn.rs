//! Pictures turned by right angles and mirrored, exactly, pixel by pixel.

use impasto_engine::Image;

use crate::picture::mask::Mask;

/// Mirrors from left to right, then turns clockwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Turn {
    quarters: usize,
    mirrored: bool,
}

/// Returns 1, 2 or 4 turns by equal angles, or 8: the four turns, plain and mirrored. The first
/// leaves a picture as it is.
pub(crate) fn turns(count: usize) -> Vec<Turn> {
    let angles = count.min(4);
    (0..count).map(|i| Turn { quarters: i % angles * (4 / angles), mirrored: i >= angles }).collect()
}

impl Turn {
    pub(crate) fn image(self, image: &Image) -> Image {
        let (pixels, _) = image.as_slice().as_chunks::<3>();
        let (width, height, pixels) = self.apply(image.width(), image.height(), pixels);
        Image::new(width, height, pixels.into_flattened())
    }

    pub(crate) fn mask(self, mask: &Mask) -> Mask {
        let (width, height, weights) = self.apply(mask.width(), mask.height(), mask.as_slice());
        Mask::new(width, height, weights)
    }

    /// Returns width, height and pixels of the turned picture.
    fn apply<T: Copy>(self, width: usize, height: usize, pixels: &[T]) -> (usize, usize, Vec<T>) {
        let (to_width, to_height) = if self.quarters % 2 == 1 { (height, width) } else { (width, height) };
        let from = |x: usize, y: usize| {
            let (x, y) = match self.quarters {
                0 => (x, y),
                1 => (y, height - 1 - x),
                2 => (width - 1 - x, height - 1 - y),
                _ => (width - 1 - y, x),
            };
            y * width + if self.mirrored { width - 1 - x } else { x }
        };
        let data = (0..to_width * to_height).map(|i| pixels[from(i % to_width, i / to_width)]).collect();
        (to_width, to_height, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_clockwise_and_all_different() {
        // 0 1 2
        // 3 4 5
        let turned = |count: usize| -> Vec<(usize, usize, Vec<u8>)> {
            turns(count).into_iter().map(|turn| turn.apply(3, 2, &[0, 1, 2, 3, 4, 5])).collect()
        };
        let expected = [
            (3, 2, vec![0, 1, 2, 3, 4, 5]),
            (2, 3, vec![3, 0, 4, 1, 5, 2]),
            (3, 2, vec![5, 4, 3, 2, 1, 0]),
            (2, 3, vec![2, 5, 1, 4, 0, 3]),
        ];
        assert_eq!(turned(4), expected);
        assert_eq!(turned(2), [expected[0].clone(), expected[2].clone()]);
        assert_eq!(turned(1), expected[..1]);
        assert_eq!(turned(8)[..4], expected);
        assert_eq!(turned(8)[4], (3, 2, vec![2, 1, 0, 5, 4, 3]));
        assert_eq!(turned(8)[5], (2, 3, vec![5, 2, 4, 1, 3, 0]));
    }
}
