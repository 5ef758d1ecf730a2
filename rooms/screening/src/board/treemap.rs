//! Tiles whose areas are in proportion to their weights, as nearly square as they come (squarified treemap, Bruls, Huizing and van Wijk 2000).

/// A rectangle on the drawing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tile {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Tile {
    /// What is left of it inside a margin, with room for a heading on top.
    pub fn inside(self, margin: f64, heading: f64) -> Tile {
        let (width, height) = ((self.width - 2.0 * margin).max(0.0), (self.height - 2.0 * margin - heading).max(0.0));
        Tile { x: self.x + margin, y: self.y + margin + heading, width, height }
    }
}

/// One tile for each weight, in their order; a weight that is not above 0 gets a tile without area. Weights best come largest first.
pub fn tiles(weights: &[f64], whole: Tile) -> Vec<Tile> {
    let total: f64 = weights.iter().copied().filter(|weight| *weight > 0.0).sum();
    let mut placed = vec![Tile { width: 0.0, height: 0.0, ..whole }; weights.len()];
    if total <= 0.0 || whole.width <= 0.0 || whole.height <= 0.0 {
        return placed;
    }
    let scale = whole.width * whole.height / total;
    let areas: Vec<(usize, f64)> = weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0).map(|(at, weight)| (at, weight * scale)).collect();
    let (mut rest, mut left) = (areas.as_slice(), whole);
    while !rest.is_empty() {
        let side = left.width.min(left.height);
        let mut length = 1;
        while length < rest.len() && worst(&rest[..=length], side) <= worst(&rest[..length], side) {
            length += 1;
        }
        let (row, later) = rest.split_at(length);
        left = lay(row, left, later.is_empty(), &mut placed);
        rest = later;
    }
    placed
}

/// The worst proportion of the tiles of a row along a side; 1 is a square.
fn worst(row: &[(usize, f64)], side: f64) -> f64 {
    let sum: f64 = row.iter().map(|(_, area)| area).sum();
    row.iter().map(|(_, area)| (side * side * area / (sum * sum)).max(sum * sum / (side * side * area))).fold(0.0, f64::max)
}

/// Lays a row along the shorter side; what is left beside it. The last row takes all there is, so that rounding leaves no gap.
fn lay(row: &[(usize, f64)], left: Tile, last: bool, placed: &mut [Tile]) -> Tile {
    let sum: f64 = row.iter().map(|(_, area)| area).sum();
    let upright = left.width >= left.height;
    let side = if upright { left.height } else { left.width };
    let depth = if last { if upright { left.width } else { left.height } } else { sum / side };
    let mut along = 0.0;
    for (at, area) in row {
        let length = side * area / sum;
        placed[*at] = if upright {
            Tile { x: left.x, y: left.y + along, width: depth, height: length }
        } else {
            Tile { x: left.x + along, y: left.y, width: length, height: depth }
        };
        along += length;
    }
    if upright {
        Tile { x: left.x + depth, width: (left.width - depth).max(0.0), ..left }
    } else {
        Tile { y: left.y + depth, height: (left.height - depth).max(0.0), ..left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: Tile = Tile { x: 10.0, y: 5.0, width: 900.0, height: 400.0 };

    proptest! {
        #[test]
        fn areas_are_in_proportion_inside_the_whole_and_apart(mut weights in proptest::collection::vec(1u32..5_000, 1..80)) {
            weights.sort_unstable_by(|a, b| b.cmp(a));
            let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
            let total: f64 = weights.iter().sum();
            let placed = tiles(&weights, WHOLE);
            for (tile, weight) in placed.iter().zip(&weights) {
                let wanted = weight / total * WHOLE.width * WHOLE.height;
                prop_assert!((tile.width * tile.height - wanted).abs() < 1e-6 * WHOLE.width * WHOLE.height, "{tile:?} {wanted}");
                prop_assert!(tile.x >= WHOLE.x - 1e-6 && tile.x + tile.width <= WHOLE.x + WHOLE.width + 1e-6);
                prop_assert!(tile.y >= WHOLE.y - 1e-6 && tile.y + tile.height <= WHOLE.y + WHOLE.height + 1e-6);
            }
            for (n, a) in placed.iter().enumerate() {
                for b in &placed[n + 1..] {
                    let wide = (a.x + a.width).min(b.x + b.width) - a.x.max(b.x);
                    let high = (a.y + a.height).min(b.y + b.height) - a.y.max(b.y);
                    prop_assert!(wide.max(0.0) * high.max(0.0) < 1e-3, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn equal_weights_are_nearly_square_and_nothing_is_no_tile() {
        let placed = tiles(&[1.0; 9], Tile { x: 0.0, y: 0.0, width: 300.0, height: 300.0 });
        assert!(placed.iter().all(|tile| (tile.width - 100.0).abs() < 1e-6 && (tile.height - 100.0).abs() < 1e-6), "{placed:?}");
        assert_eq!(tiles(&[], WHOLE), []);
        assert_eq!(tiles(&[0.0, 4.0], WHOLE)[0].width, 0.0);
        assert_eq!(tiles(&[0.0, 4.0], WHOLE)[1], WHOLE);
        assert!(tiles(&[1.0], Tile { width: 0.0, ..WHOLE })[0].width.abs() < 1e-9);
    }
}
