//! Every picture format opens with the right pixels, and everything else gives one clear sentence.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use crate::common::media::{gradient, picture};
use image::{DynamicImage, ImageBuffer, ImageFormat, Rgb, Rgba, RgbaImage};
use mien::media::encode::save_png;
use mien::media::error::MediaError;
use mien::media::image::{Picture, open, open_telling};
use proptest::prelude::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn open_bytes(bytes: &[u8]) -> Result<Picture, MediaError> {
    let folder = tempfile::tempdir().unwrap();
    // The extension is meaningless: formats are detected by content.
    let path = folder.path().join("picture.dat");
    fs::write(&path, bytes).unwrap();
    open(&path)
}

fn sentence(bytes: &[u8]) -> String {
    open_bytes(bytes).unwrap_err().to_string()
}

fn rgb_image() -> DynamicImage {
    let picture = picture(24, 16, gradient);
    let rgb = picture
        .rgba()
        .chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]])
        .collect();
    DynamicImage::ImageRgb8(ImageBuffer::from_raw(24, 16, rgb).unwrap())
}

fn rgba_image() -> RgbaImage {
    RgbaImage::from_fn(9, 7, |x, y| {
        Rgba([x as u8 * 20, y as u8 * 30, 99, (x * 28) as u8])
    })
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 4] {
    let at = ((y * picture.width() + x) * 4) as usize;
    picture.rgba()[at..at + 4].try_into().unwrap()
}

fn assert_near(found: [u8; 4], expected: [u8; 3], within: u8) {
    assert!(
        (0..3).all(|c| found[c].abs_diff(expected[c]) <= within),
        "{found:?} isn't near {expected:?}"
    );
}

#[test]
fn lossless_formats_give_the_exact_pixels() {
    for format in [
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
    ] {
        let found = open_bytes(&encode(&rgb_image(), format)).unwrap();
        assert_eq!(found.size(), (24, 16), "{format:?}");
        assert_eq!(found.rgba(), picture(24, 16, gradient).rgba(), "{format:?}");
        assert!(!found.has_alpha(), "{format:?}");
    }
}

#[test]
fn jpeg_gives_nearly_the_original_pixels() {
    let found = open_bytes(&encode(&rgb_image(), ImageFormat::Jpeg)).unwrap();
    let error: u64 = found
        .rgba()
        .iter()
        .zip(picture(24, 16, gradient).rgba())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    assert!(error / (24 * 16 * 4) < 4, "{error}");
    assert!(!found.has_alpha());
}

#[test]
fn alpha_is_kept() {
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
        let found = open_bytes(&encode(&rgba_image().into(), format)).unwrap();
        assert_eq!(found.rgba(), rgba_image().as_raw().as_slice(), "{format:?}");
        assert!(found.has_alpha(), "{format:?}");
    }
}

#[test]
fn an_alpha_channel_without_a_transparent_pixel_is_still_one() {
    let image = RgbaImage::from_pixel(3, 3, Rgba([1, 2, 3, 255]));
    assert!(
        open_bytes(&encode(&image.into(), ImageFormat::Png))
            .unwrap()
            .has_alpha()
    );
}

#[test]
fn sixteen_bits_are_rounded_to_eight() {
    let values = [0u16, 127, 128, 129, 32_767, 32_896, 65_407, 65_535];
    let image = ImageBuffer::from_fn(8, 1, |x, _| Rgb([values[x as usize]; 3]));
    let found = open_bytes(&encode(&DynamicImage::ImageRgb16(image), ImageFormat::Png)).unwrap();
    let expected: Vec<u8> = values
        .iter()
        .map(|&v| (f64::from(v) / 257.0).round() as u8)
        .collect();
    assert_eq!(
        found
            .rgba()
            .chunks_exact(4)
            .map(|p| p[0])
            .collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn a_gif_gives_its_first_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.gif");
    let mut encoder = gif::Encoder::new(
        fs::File::create(&path).unwrap(),
        2,
        1,
        &[200, 0, 0, 0, 200, 0],
    )
    .unwrap();
    for (index, transparent) in [(0u8, Some(1)), (1, None)] {
        let frame = gif::Frame {
            width: 2,
            height: 1,
            buffer: vec![index, 1].into(),
            transparent,
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);

    let found = open(&path).unwrap();
    assert_eq!(pixel(&found, 0, 0), [200, 0, 0, 255]);
    assert_eq!(pixel(&found, 1, 0)[3], 0);
    assert!(found.has_alpha());
}

#[test]
fn cmyk_jpeg_is_converted_to_rgb() {
    let found = open(&fixture("cmyk.jpg")).unwrap();
    assert_eq!(found.size(), (32, 16));
    assert_near(pixel(&found, 4, 8), [0, 255, 255], 4);
    // Magenta 128 and black 64: green is (255 - 128) * (255 - 64) / 255.
    assert_near(pixel(&found, 27, 8), [191, 95, 191], 4);
}

#[test]
fn ycck_jpeg_is_converted_to_rgb() {
    // The same data read as YCCK: only the Adobe marker's transform byte differs.
    let mut bytes = fs::read(fixture("cmyk.jpg")).unwrap();
    let adobe = bytes.windows(5).position(|w| w == b"Adobe").unwrap();
    bytes[adobe + 11] = 2;
    let found = open_bytes(&bytes).unwrap();
    // Left: Y, Cb, Cr, K stored as 0, 255, 255, 255; (178, -135, 225) inverted and clamped is (77, 255, 30).
    assert_near(pixel(&found, 4, 8), [77, 255, 30], 5);
}

#[test]
fn every_exif_orientation_is_applied() {
    // Landscape, with a marked corner, so that all eight orientations differ.
    let stored = picture(32, 16, |x, y| {
        if x < 16 && y < 8 {
            [230, 30, 30]
        } else {
            [30, 30, 230]
        }
    });
    let image = RgbaImage::from_raw(32, 16, stored.into_rgba()).unwrap();
    let jpeg = encode(
        &DynamicImage::ImageRgba8(image).into_rgb8().into(),
        ImageFormat::Jpeg,
    );

    // Where the marked corner goes: 1 top left, 2 mirrored to top right, 3 rotated to bottom right, 4 bottom left, then
    // transposed.
    let corners = [
        (0, 0),
        (1, 0),
        (1, 1),
        (0, 1),
        (0, 0),
        (1, 0),
        (1, 1),
        (0, 1),
    ];
    for (orientation, corner) in (1u8..=8).zip(corners) {
        let tiff = [
            b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(),
            &[orientation, 0, 0, 0],
            &[0; 4],
        ]
        .concat();
        let length = (2 + 6 + tiff.len()) as u16;
        let app1 = [
            &[0xff, 0xe1],
            length.to_be_bytes().as_slice(),
            b"Exif\0\0",
            &tiff,
        ]
        .concat();
        let found = open_bytes(&[&jpeg[..2], &app1, &jpeg[2..]].concat()).unwrap();

        let turned = orientation >= 5;
        assert_eq!(
            found.size(),
            if turned { (16, 32) } else { (32, 16) },
            "{orientation}"
        );
        for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let at = pixel(
                &found,
                x * (found.width() - 5) + 2,
                y * (found.height() - 5) + 2,
            );
            let expected = if (x, y) == corner {
                [230, 30, 30]
            } else {
                [30, 30, 230]
            };
            assert_near(at, expected, 25);
        }
    }
}

#[test]
fn the_exif_orientation_of_webp_and_tiff_is_applied_too() {
    for name in ["turned.webp", "turned.tif"] {
        let found = open(&fixture(name)).unwrap();
        assert_eq!(found.size(), (16, 32), "{name}");
        // Rotated clockwise: the left side is now on top.
        assert_near(pixel(&found, 8, 4), [200, 40, 40], 12);
        assert_near(pixel(&found, 8, 27), [40, 40, 200], 12);
    }
}

#[test]
fn another_colour_space_is_converted_and_srgb_is_not() {
    let with_profile = |profile: moxcms::ColorProfile| {
        use image::ImageEncoder;
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_icc_profile(profile.encode().unwrap()).unwrap();
        encoder
            .write_image(&[200, 100, 50, 77], 1, 1, image::ExtendedColorType::Rgba8)
            .unwrap();
        open_bytes(&bytes).unwrap().into_rgba()
    };
    assert_eq!(
        with_profile(moxcms::ColorProfile::new_srgb()),
        [200, 100, 50, 77]
    );
    let converted = with_profile(moxcms::ColorProfile::new_display_p3());
    assert!(
        converted[0] > 205 && converted[2] < 46 && converted[3] == 77,
        "{converted:?}"
    );
}

#[test]
fn an_image_of_one_pixel_opens() {
    let image = RgbaImage::from_pixel(1, 1, Rgba([9, 8, 7, 6]));
    let found = open_bytes(&encode(&image.into(), ImageFormat::Png)).unwrap();
    assert_eq!(
        (found.size(), found.rgba()),
        ((1, 1), [9, 8, 7, 6].as_slice())
    );
}

fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encode(&rgb_image(), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

#[test]
fn images_beyond_the_size_limit_are_refused_by_their_header() {
    assert_eq!(
        sentence(&png_claiming(100_000, 40)),
        "picture.dat is 100000 x 40 pixels; Mien opens pictures up to 64 megapixels and 32768 pixels per side, so scale it down first."
    );
    // A decompression bomb: no decoder may be called for 900 megapixels.
    assert!(matches!(
        open_bytes(&png_claiming(30_000, 30_000)),
        Err(MediaError::TooLarge { .. })
    ));
    assert!(matches!(
        open_bytes(&png_claiming(0, 0)),
        Err(MediaError::NoPixels { .. })
    ));
    assert!(matches!(
        open_bytes(b"GIF89a\0\0\0\0\0\0\0;"),
        Err(MediaError::NoPixels { .. })
    ));
    assert!(matches!(
        open_bytes(b"GIF89a\xff\xff\xff\xff\0\0\0;"),
        Err(MediaError::TooLarge { .. })
    ));

    let mut bmp = encode(&rgb_image(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&100_000i32.to_le_bytes());
    assert!(matches!(
        open_bytes(&bmp),
        Err(MediaError::TooLarge { width: 100_000, .. })
    ));

    let mut jpeg = encode(&rgb_image(), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert!(matches!(
        open_bytes(&jpeg),
        Err(MediaError::TooLarge { width: 65_535, .. })
    ));
}

#[test]
fn truncated_images_are_reported_as_truncated() {
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
        ImageFormat::Gif,
    ] {
        let bytes = encode(&rgb_image(), format);
        let error = open_bytes(&bytes[..bytes.len() * 2 / 3]).unwrap_err();
        assert!(
            matches!(error, MediaError::Damaged { .. }),
            "{format:?}: {error}"
        );
        assert!(
            error
                .to_string()
                .starts_with("picture.dat is damaged or cut short ("),
            "{error}"
        );
    }
}

#[test]
fn files_that_are_no_image_are_refused_by_kind() {
    for (bytes, expected) in [
        (
            b"".as_slice(),
            "picture.dat is empty (0 bytes); copy it again from its source.",
        ),
        (
            b"Dear diary",
            "picture.dat is not a picture that Mien can read; open a PNG, JPEG, WebP, TIFF, BMP or GIF.",
        ),
        (
            b"BM is how this text begins, and it goes on",
            "picture.dat is not a picture that Mien can read; open a PNG, JPEG, WebP, TIFF, BMP or GIF.",
        ),
        (
            b"\n<!DOCTYPE html><html><body>404</body></html>",
            "picture.dat is a web page, not a picture; download the picture itself instead of the page that shows it.",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "picture.dat is a Git LFS pointer, not the picture itself; fetch the picture with \"git lfs pull\".",
        ),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0",
            "picture.dat is a HEIC photo, which Mien doesn't open as a picture; export it as JPEG or PNG first.",
        ),
        (
            b"<svg xmlns=''/>",
            "picture.dat is an SVG drawing, which Mien doesn't open as a picture; export it as PNG first.",
        ),
    ] {
        assert_eq!(sentence(bytes), expected);
    }
}

#[test]
fn missing_files_and_folders_are_refused_by_kind() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        open(folder.path()),
        Err(MediaError::IsFolder { .. })
    ));

    let error = open(&folder.path().join("gone.png")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gone.png doesn't exist; check its name and folder."
    );
}

#[cfg(unix)]
#[test]
fn files_without_read_permission_are_refused_as_such() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.png");
    fs::write(&path, encode(&rgb_image(), ImageFormat::Png)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    // Root can read every file.
    if fs::File::open(&path).is_err() {
        assert!(matches!(open(&path), Err(MediaError::NotReadable { .. })));
    }
    assert!(matches!(
        open(Path::new("/dev/null")),
        Err(MediaError::NotAFile { .. })
    ));
}

#[test]
fn png_round_trips_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("round.png");
    for (channels, alpha) in [(6, true), (2, false)] {
        let rgba = if alpha {
            rgba_image().into_raw()
        } else {
            picture(9, 7, gradient).into_rgba()
        };
        let source = Picture::new(9, 7, rgba).unwrap().with_alpha(alpha);
        save_png(&path, &source).unwrap();
        assert_eq!(open(&path).unwrap(), source);
        assert_eq!(
            fs::read(&path).unwrap()[25],
            channels,
            "the PNG's colour type"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_never_panic(which in 0usize..6, cut in 0.0f64..1.0, damage in prop::collection::vec((0.0f64..1.0, any::<u8>()), 0..12)) {
        let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::Gif][which];
        let mut bytes = encode(&rgb_image(), format);
        if cut > 0.5 {
            bytes.truncate((bytes.len() as f64 * cut) as usize);
        }
        let length = bytes.len() as f64;
        for (place, value) in damage {
            bytes[(place * length) as usize] = value;
        }
        match open_bytes(&bytes) {
            Ok(picture) => prop_assert_eq!(picture.rgba().len(), picture.width() as usize * picture.height() as usize * 4),
            Err(error) => prop_assert!(error.to_string().starts_with("picture.dat ") && error.to_string().ends_with('.')),
        }
    }
}

#[test]
fn a_damaged_jpeg_opens_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/samples/grace_hopper.jpg");
    let whole = fs::read(sample).unwrap();
    let path = folder.path().join("portrait.jpg");
    let warning = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        open_telling(&path).unwrap()
    };
    let (picture, is_damaged) = warning(&whole);
    assert!(!is_damaged);
    for part in 3..8 {
        let mut bytes = whole.clone();
        let start = bytes.len() * part / 10;
        for (i, byte) in bytes[start..start + 300].iter_mut().enumerate() {
            *byte = (i * 89 + part * 31) as u8 % 255;
        }
        let (scrambled, is_damaged) = warning(&bytes);
        assert!(is_damaged, "{part}");
        assert_eq!(scrambled.size(), picture.size());
        assert!(scrambled != picture);
    }
}
