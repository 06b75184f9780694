//! Every decoder of this room against bytes of nobody's making: none may panic, and none may take more
//! memory than it was given. The seeds of failures are printed by proptest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::auth::{Login, Plugin, parse_login};
use super::compressed::{Algorithm, unpack};
use super::packet::{Sequence, parse_control, split_events};
use super::{handshake, response, result_set};

const PLUGINS: [Plugin; 6] =
    [Plugin::Native, Plugin::CachingSha2, Plugin::Sha256, Plugin::Clear, Plugin::Ed25519, Plugin::Parsec];

/// Runs every decoder on the bytes.
fn decode_all(bytes: &[u8]) {
    let _ = handshake::parse_handshake(bytes);
    let _ = response::parse_error(bytes);
    let _ = response::parse_ok(bytes);
    let _ = response::parse_eof(bytes);
    let _ = result_set::parse_answer(bytes);
    let _ = result_set::parse_column(bytes);
    let _ = result_set::parse_row(bytes, 7, &mut Vec::new());
    let _ = parse_login(bytes);
    let _ = parse_control(bytes);
    let (mut at, mut events) = (0, Vec::new());
    let _ = split_events(bytes, &mut at, &mut Sequence::Unchecked, &mut events);
    assert!(at <= bytes.len());
    assert!(events.iter().all(|range| range.of(bytes).is_some()));
    for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
        let _ = unpack(algorithm, bytes, &mut 0, &mut Vec::new());
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode_all(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_packet_header(length in 0_usize..64, bytes in proptest::collection::vec(any::<u8>(), 64)) {
        let mut packet = vec![length as u8, 0, 0, 0];
        packet.extend_from_slice(&bytes);
        decode_all(&packet);
        packet.insert(0, 10);
        decode_all(&packet);
    }

    #[test]
    fn any_login(plugin in proptest::sample::select(PLUGINS.to_vec()), encrypted: bool, challenge in proptest::collection::vec(any::<u8>(), 0..40),
                 data in proptest::collection::vec(any::<u8>(), 0..100)) {
        let login = Login::new(plugin, &challenge, b"password", encrypted);
        let _ = login.first();
        let _ = login.next(&data);
    }
}
