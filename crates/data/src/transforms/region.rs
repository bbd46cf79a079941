//! Rectangles of an image, also beyond its edges.

use super::Image;

/// Writes the rectangle of `height` × `width` whose upper left corner is at `(top, left)`; what lies outside of the
/// image is `fill`.
pub(super) fn copy_region(
    image: Image<'_>,
    (top, left): (isize, isize),
    [height, width]: [usize; 2],
    fill: f32,
    out: &mut [f32],
) {
    if image.pixels().is_empty() {
        out.fill(fill);
    }
    if image.pixels().is_empty() || out.is_empty() {
        return;
    }
    let size = image.size();
    // Columns of the rectangle that lie within the image.
    let first = (-left).clamp(0, width as isize) as usize;
    let end = (size.width as isize - left).clamp(first as isize, width as isize) as usize;
    let inside = |row: usize| usize::try_from(row as isize + top).ok().filter(|&row| row < size.height);
    for (channel, out) in out.chunks_exact_mut(height * width).enumerate() {
        for (row, to) in out.chunks_exact_mut(width).enumerate() {
            match inside(row) {
                Some(row) if first < end => {
                    let start = (first as isize + left) as usize;
                    to[..first].fill(fill);
                    to[first..end].copy_from_slice(&image.row(channel, row)[start..][..end - first]);
                    to[end..].fill(fill);
                }
                _ => to.fill(fill),
            }
        }
    }
}
