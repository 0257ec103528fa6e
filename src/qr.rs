//! QR codes of links: for a terminal, as SVG and as PNG.
//!
//! Encoding is the work of the crate `fast_qr`. Here are the forms, each with the quiet zone that a reader needs. All
//! sizes are bounded by [`TEXT_MAX`].

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};

/// The longest text, in bytes. Our links are shorter than 100.
pub const TEXT_MAX: usize = 600;
/// The light border around the code, in modules on each side (ISO/IEC 18004:2015, 6.3.8).
const QUIET_ZONE: usize = 4;
/// The width of a module in an image, in pixels.
const SCALE: usize = 8;

/// A QR code of level M: 15 % of it may be damaged and it is still read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrCode {
    /// Modules on each side, with the quiet zone.
    side: usize,
    /// Row by row; `true` is dark.
    modules: Vec<bool>,
}

/// The text has no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("has {0} bytes: a QR code takes 1 to {TEXT_MAX} here")]
pub struct QrError(usize);

impl QrCode {
    /// # Errors
    /// If the text is empty or longer than [`TEXT_MAX`].
    pub fn of(text: &str) -> Result<Self, QrError> {
        let refused = QrError(text.len());
        if !(1..=TEXT_MAX).contains(&text.len()) {
            return Err(refused);
        }
        let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|_| refused)?;
        let side = code.size + 2 * QUIET_ZONE;
        let mut modules = vec![false; side * side];
        for y in 0..code.size {
            for x in 0..code.size {
                modules[(y + QUIET_ZONE) * side + x + QUIET_ZONE] = code[y][x].value();
            }
        }
        Ok(Self { side, modules })
    }

    /// Modules on each side, with the quiet zone.
    #[must_use]
    pub const fn side(&self) -> usize {
        self.side
    }

    /// Whether the module is dark. Outside of the code all are light.
    #[must_use]
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.side && self.modules.get(y * self.side + x).copied().unwrap_or(false)
    }

    /// Lines of half blocks, two rows in each. What is dark is drawn, so it must be shown dark on light.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let block = |x, y| match (self.is_dark(x, y), self.is_dark(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        (0..self.side).step_by(2).map(move |y| (0..self.side).map(|x| block(x, y)).collect())
    }

    /// A picture without scripts and references to elsewhere: black on white.
    #[must_use]
    pub fn svg(&self) -> String {
        let (side, width) = (self.side, self.side * SCALE);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{width}\" \
             viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path fill=\"#000\" d=\""
        );
        for y in 0..side {
            let mut x = 0;
            while x < side {
                let length = (x..side).take_while(|&x| self.is_dark(x, y)).count();
                if length > 0 {
                    write!(svg, "M{x} {y}h{length}v1h-{length}z").expect("writing to a String does not fail");
                }
                x += length.max(1);
            }
        }
        svg.push_str("\"/></svg>\n");
        svg
    }

    /// A picture with one bit for each pixel: black on white.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let width = self.side * SCALE;
        let mut rows = Vec::with_capacity(width.div_ceil(8) * width);
        for y in 0..self.side {
            // A module is eight pixels wide, so it is one byte of a row.
            let row: Vec<u8> = (0..self.side).map(|x| if self.is_dark(x, y) { 0x00 } else { 0xFF }).collect();
            (0..SCALE).for_each(|_| rows.extend_from_slice(&row));
        }
        let pixels = u32::try_from(width).expect("a code has at most 185 modules");
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, pixels, pixels);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&rows));
        written.expect("writing to memory does not fail, and the rows fit the size");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str =
        "https://wa.me/call/551151991234?biz_payload=cAZDzyKGyfD2OT1prfI2eD0123456789abcdef0123456789";

    /// What a reader sees in a picture of `width` pixels on each side.
    fn read(width: usize, is_dark: impl Fn(usize, usize) -> bool) -> Vec<String> {
        let grey = |x, y| if is_dark(x, y) { 0 } else { 255 };
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, width, grey);
        picture.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
    }

    fn pixels(png: &[u8]) -> (usize, Vec<u8>) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, info.height);
        (info.width as usize, pixels)
    }

    #[test]
    fn a_png_is_read_back_whatever_the_length_of_the_text() {
        for length in [1, 2, 17, 60, LINK.len(), 100, 200, TEXT_MAX - 1, TEXT_MAX] {
            let text: String = LINK.chars().cycle().take(length).collect();
            let code = QrCode::of(&text).unwrap();
            let (width, pixels) = pixels(&code.png());
            assert_eq!(width, code.side() * SCALE);
            assert_eq!(read(width, |x, y| pixels[y * width + x] < 128), [text], "{length} bytes");
        }
    }

    #[test]
    fn an_svg_draws_the_same_modules() {
        let code = QrCode::of(LINK).unwrap();
        let svg = code.svg();
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut dark = std::collections::BTreeSet::new();
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (length, rest) = rest.split_once('v').unwrap();
            assert_eq!(rest, format!("1h-{length}z"));
            let [x, y, length] = [x, y, length].map(|number| number.parse::<usize>().unwrap());
            dark.extend((x..x + length).map(|x| (x, y)));
        }
        let seen = read(code.side() * SCALE, |x, y| dark.contains(&(x / SCALE, y / SCALE)));
        assert_eq!(seen, [LINK]);
        let edge = code.side() * SCALE;
        assert!(svg.contains(&format!("width=\"{edge}\" height=\"{edge}\"")), "{svg}");
    }

    #[test]
    fn the_lines_of_a_terminal_draw_the_same_modules() {
        let code = QrCode::of(LINK).unwrap();
        let lines: Vec<Vec<char>> = code.lines().map(|line| line.chars().collect()).collect();
        assert!(lines.iter().all(|line| line.len() == code.side()));
        let is_dark = |x: usize, y: usize| {
            let block = lines[y / 2][x];
            block == '█' || block == if y.is_multiple_of(2) { '▀' } else { '▄' }
        };
        let seen = read(code.side() * SCALE, |x, y| is_dark(x / SCALE, y / SCALE));
        assert_eq!(seen, [LINK]);
    }

    #[test]
    fn four_light_modules_are_on_each_side() {
        let code = QrCode::of(LINK).unwrap();
        let side = code.side();
        for (at, other) in (0..4).flat_map(|at| (0..side).map(move |other| (at, other))) {
            for (x, y) in [(at, other), (other, at), (side - 1 - at, other), (other, side - 1 - at)] {
                assert!(!code.is_dark(x, y), "{x} {y}");
            }
        }
        // The corner of a finder pattern begins right after them.
        assert!(code.is_dark(4, 4) && code.is_dark(side - 5, 4) && code.is_dark(4, side - 5));
        assert!(!code.is_dark(side, 4) && !code.is_dark(4, side));
    }

    #[test]
    fn a_text_has_1_to_600_bytes() {
        for (length, fits) in [(0, false), (1, true), (TEXT_MAX, true), (TEXT_MAX + 1, false)] {
            assert_eq!(QrCode::of(&"x".repeat(length)).is_ok(), fits, "{length}");
        }
        let largest = QrCode::of(&"x".repeat(TEXT_MAX)).unwrap();
        assert!(largest.side() <= 185 && largest.svg().len() < 200_000 && largest.png().len() < 40_000);
    }
}
