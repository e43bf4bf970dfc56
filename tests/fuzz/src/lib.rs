//! What the fuzz targets share.
//!
//! Targets that take more than a text take a **case**: a JSON document that says what the client is, which calls are made, and what the back-end answers. It is
//! read with lenience (what is missing or of another type is a default), so that every document is a case; it can be read by people, and written by them. That is why
//! there is no `arbitrary` here: what that makes of bytes nobody can write. [`mutate`] changes cases as trees, with words that the wires know.

pub mod case;
pub mod drive;
pub mod encoding;
pub mod mutate;

/// A target that takes a case.
#[macro_export]
macro_rules! case_target {
    ($run:expr) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus {
            match $crate::case::read(data) {
                Some(case) => {
                    $run(&case);
                    libfuzzer_sys::Corpus::Keep
                }
                None => libfuzzer_sys::Corpus::Reject,
            }
        });

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            match $crate::mutate::mutate(&data[..size], max_size, seed) {
                Some(text) => {
                    data[..text.len()].copy_from_slice(&text);
                    text.len()
                }
                None => libfuzzer_sys::fuzzer_mutate(data, size, max_size),
            }
        });
    };
}
