//! Colours of pixels, between 0 and 1.

/// What red, green and blue weigh in grey (ITU-R BT.601, as torchvision rounds it).
const GREY: [f32; 3] = [0.2989, 0.587, 0.114];

pub(crate) fn grey([red, green, blue]: [f32; 3]) -> f32 {
    GREY[0] * red + GREY[1] * green + GREY[2] * blue
}

/// `ratio` of a and the rest of b, kept between 0 and 1.
pub(super) fn blend(a: f32, b: f32, ratio: f32) -> f32 {
    (ratio * a + (1.0 - ratio) * b).clamp(0.0, 1.0)
}

/// Turns the hue by a part of the full circle, -0.5 to 0.5 (Smith, "Color Gamut Transform Pairs", 1978).
pub(super) fn turn_hue(rgb: [f32; 3], turn: f32) -> [f32; 3] {
    let [hue, saturation, value] = to_hsv(rgb);
    from_hsv([(hue + turn).rem_euclid(1.0), saturation, value])
}

fn to_hsv([red, green, blue]: [f32; 3]) -> [f32; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let range = most - least;
    if range == 0.0 {
        return [0.0, 0.0, most];
    }
    let sixths = if red == most {
        (green - blue) / range
    } else if green == most {
        2.0 + (blue - red) / range
    } else {
        4.0 + (red - green) / range
    };
    [(sixths / 6.0).rem_euclid(1.0), range / most, most]
}

fn from_hsv([hue, saturation, value]: [f32; 3]) -> [f32; 3] {
    let sixth = (hue * 6.0).floor();
    let within = hue * 6.0 - sixth;
    let shade = |part: f32| (value * (1.0 - saturation * part)).clamp(0.0, 1.0);
    let (least, falling, rising) = (shade(1.0), shade(within), shade(1.0 - within));
    match sixth as u32 % 6 {
        0 => [value, rising, least],
        1 => [falling, value, least],
        2 => [least, value, rising],
        3 => [least, falling, value],
        4 => [rising, least, value],
        _ => [value, least, falling],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: [f32; 3], b: [f32; 3]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn hues_turn_about_the_circle() {
        // Red to green to blue are thirds of the circle; half of it gives the complement.
        assert!(near(turn_hue([1.0, 0.0, 0.0], 1.0 / 3.0), [0.0, 1.0, 0.0]));
        assert!(near(turn_hue([0.0, 1.0, 0.0], 1.0 / 3.0), [0.0, 0.0, 1.0]));
        assert!(near(turn_hue([1.0, 0.0, 0.0], -1.0 / 3.0), [0.0, 0.0, 1.0]));
        assert!(near(turn_hue([0.9, 0.2, 0.2], 0.5), [0.2, 0.9, 0.9]));
        assert!(near(turn_hue([0.4, 0.4, 0.4], 0.3), [0.4, 0.4, 0.4]));
        for rgb in [[0.1, 0.7, 0.3], [0.6, 0.5, 0.9], [0.0, 0.0, 0.0], [1.0, 0.99, 1.0]] {
            assert!(near(turn_hue(rgb, 0.0), rgb), "{rgb:?}");
            assert!(near(turn_hue(turn_hue(rgb, 0.3), -0.3), rgb), "{rgb:?}");
        }
    }
}
