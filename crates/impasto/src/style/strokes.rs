//! The feature maps of styles that positions of the picture are matched with.
//!
//! A search compares every position of the picture with every candidate. So there are at most
//! [`MOST_CANDIDATES`] of them at a layer and in a region. What is left out are runs of whole rows,
//! evenly spread over the map.

use impasto_engine::network::CandidateMap;

/// Candidates at a layer and in a region: a map of relu3_1 for a style of 512x512 px.
pub(crate) const MOST_CANDIDATES: usize = 1 << 14;

/// Rows of a run. A run has a row above and a row below besides, which are part of its patches.
const RUN: usize = 8;

/// Maps of a style at a layer: of its turned copies, or of runs of rows of these.
pub(crate) type StrokeMaps = Vec<CandidateMap>;

/// Returns what serves a style that has all candidates of a region. `channels` is that of the maps.
pub(crate) fn thinned(maps: StrokeMaps, channels: usize) -> StrokeMaps {
    let counting = maps.iter().map(counting).sum::<usize>();
    keep_part(maps, channels, MOST_CANDIDATES as f64 / counting.max(1) as f64)
}

/// Returns the most positions that are left of `positions` in rows of `width`, with those around
/// runs.
pub(crate) fn thinned_positions(positions: usize, width: usize) -> usize {
    let around = 2 * MOST_CANDIDATES / RUN + 2 * RUN * width;
    positions.min(MOST_CANDIDATES + around)
}

/// Puts the maps of the styles of a region together. They share the candidates by their weights.
///
/// `styles`: weight and maps of each, with a weight above 0.
pub(crate) fn together(styles: &[(f64, &StrokeMaps)], channels: usize) -> StrokeMaps {
    let counts: Vec<f64> = styles.iter().map(|(_, maps)| maps.iter().map(counting).sum::<usize>() as f64).collect();
    let all: f64 = styles.iter().map(|(weight, _)| weight).sum();
    // The style that would be the first to run out of positions has all of them.
    let per_weight = styles.iter().zip(&counts).map(|((weight, _), count)| count / weight);
    let per_weight = per_weight.fold(MOST_CANDIDATES as f64 / all, f64::min);
    styles
        .iter()
        .zip(&counts)
        .flat_map(|(&(weight, maps), count)| keep_part(maps.clone(), channels, weight * per_weight / count.max(1.0)))
        .collect()
}

/// Returns the number of positions that count.
fn counting(map: &CandidateMap) -> usize {
    map.counts.as_ref().map_or(map.height * map.width, |counts| counts.iter().filter(|counts| **counts).count())
}

/// Returns about this part of the maps, as runs of whole rows, or the maps as they are if the part
/// is 1 or more.
fn keep_part(maps: StrokeMaps, channels: usize, part: f64) -> StrokeMaps {
    if part >= 1.0 {
        return maps;
    }
    let mut kept = Vec::new();
    for map in maps {
        let counts = |row: usize| {
            map.counts.as_ref().is_none_or(|counts| counts[row * map.width..][..map.width].iter().any(|counts| *counts))
        };
        let rows: Vec<usize> = (0..map.height).filter(|&row| counts(row)).collect();
        let wanted = ((rows.len() as f64 * part).round() as usize).clamp(1, rows.len().max(1));
        let length = wanted.min(RUN);
        let runs = wanted / length;
        for i in 0..runs {
            let first = i * rows.len() / runs;
            if let Some(run) = rows.get(first..(first + length).min(rows.len())).filter(|run| !run.is_empty()) {
                kept.push(run_of(&map, channels, run[0], run[run.len() - 1]));
            }
        }
    }
    kept
}

/// Returns some rows of a map, with a row above and below that are no candidates.
fn run_of(map: &CandidateMap, channels: usize, first: usize, last: usize) -> CandidateMap {
    let CandidateMap { height, width, ref values, ref counts } = *map;
    let rows = first.saturating_sub(1)..(last + 2).min(height);
    let is_candidate = |i: usize| {
        let row = rows.start + i / width;
        (first..=last).contains(&row) && counts.as_ref().is_none_or(|counts| counts[rows.start * width + i])
    };
    CandidateMap {
        height: rows.len(),
        width,
        values: values[rows.start * width * channels..rows.end * width * channels].to_vec(),
        counts: Some((0..rows.len() * width).map(is_candidate).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(height: usize, width: usize, value: f32) -> CandidateMap {
        let values = (0..height * width).map(|i| value + i as f32).collect();
        CandidateMap { height, width, values, counts: None }
    }

    #[test]
    fn small_maps_stay_whole_and_large_ones_give_runs_of_rows() {
        let whole = thinned(vec![map(128, 128, 0.0)], 1);
        assert_eq!((whole.len(), whole[0].height, counting(&whole[0])), (1, 128, 1 << 14));
        let large = map(256, 256, 0.0);
        let runs = thinned(vec![large.clone()], 1);
        assert_eq!(runs.iter().map(counting).sum::<usize>(), MOST_CANDIDATES);
        assert_eq!(runs.len(), 8);
        // The first run has no row above. Every value is where it was.
        assert_eq!(runs.iter().map(|run| run.height).collect::<Vec<_>>(), [9, 10, 10, 10, 10, 10, 10, 10]);
        let second = &runs[1];
        assert_eq!(second.values[..], large.values[31 * 256..41 * 256]);
        let counts = second.counts.as_ref().unwrap();
        assert!(!counts[255] && counts[256] && counts[9 * 256 - 1] && !counts[9 * 256]);
        // What is thin already stays.
        assert_eq!(thinned(runs.clone(), 1), runs);
    }

    #[test]
    fn styles_share_the_candidates_by_their_weights() {
        let [first, second] = [vec![map(64, 64, 0.0)], vec![map(64, 64, 1e6)]];
        let of = |maps: &[CandidateMap], from_second: bool| {
            maps.iter().filter(|map| (map.values[0] >= 1e6) == from_second).map(counting).sum::<usize>()
        };
        let blend = together(&[(3.0, &first), (1.0, &second)], 1);
        assert_eq!([of(&blend, false), of(&blend, true)], [64 * 64, 16 * 64]);
        let blend = together(&[(1.0, &first), (1.0, &second)], 1);
        assert_eq!([of(&blend, false), of(&blend, true)], [64 * 64, 64 * 64]);
        let large = vec![map(256, 256, 0.0)];
        let blend = together(&[(1.0, &large), (1.0, &second)], 1);
        assert_eq!([of(&blend, false), of(&blend, true)], [64 * 64, 64 * 64]);
    }

    #[test]
    fn only_rows_that_count_are_kept() {
        let counts = (0..64 * 4).map(|i| (20..40).contains(&(i / 4))).collect();
        let maps = vec![CandidateMap { counts: Some(counts), ..map(64, 4, 0.0) }];
        let kept = keep_part(maps, 1, 0.4);
        assert_eq!(kept.iter().map(counting).sum::<usize>(), 8 * 4);
        assert_eq!((kept[0].height, kept[0].values[4]), (10, 80.0));
    }
}
