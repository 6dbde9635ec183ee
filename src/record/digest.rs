//! SHA-256 of what is short and there in one piece: a key, a leaf or a node of a tree. The usual hasher keeps a
//! buffer for what may still come, which costs a third of the hash of such a text.

use sha2::block_api::compress256;

/// Bytes of a block.
const BLOCK: usize = 64;

/// What the state begins as (FIPS 180-4, section 5.3.3).
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The SHA-256 digest of bytes that are all there.
#[inline]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    behind(&[], bytes)
}

/// The SHA-256 digest of a byte and what follows it.
#[inline]
pub fn tagged_sha256(tag: u8, bytes: &[u8]) -> [u8; 32] {
    behind(&[tag], bytes)
}

/// The digest of less than a block and what follows it.
#[inline]
fn behind<const N: usize>(head: &[u8; N], bytes: &[u8]) -> [u8; 32] {
    let mut state = START;
    let mut block = [0; BLOCK];
    block[..N].copy_from_slice(head);
    let (mut used, mut rest) = (N, bytes);
    if let Some((first, more)) = bytes.split_at_checked(BLOCK - N) {
        block[N..].copy_from_slice(first);
        compress256(&mut state, &[block]);
        let (whole, end) = more.as_chunks();
        compress256(&mut state, whole);
        (block, used, rest) = ([0; BLOCK], 0, end);
    }
    // What ends it (section 5.1.1): a bit, zeros, and how many bits there were.
    block[used..used + rest.len()].copy_from_slice(rest);
    used += rest.len();
    block[used] = 0x80;
    if used >= BLOCK - 8 {
        compress256(&mut state, &[block]);
        block = [0; BLOCK];
    }
    block[BLOCK - 8..].copy_from_slice(&((N + bytes.len()) as u64 * 8).to_be_bytes());
    compress256(&mut state, &[block]);
    let mut digest = [0; 32];
    for (to, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    digest
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::{sha256, tagged_sha256};

    #[test]
    fn every_length_is_as_the_usual_hasher_has_it() {
        let bytes: Vec<u8> = (0..300_u32).map(|at| (at * 7 + 3) as u8).collect();
        for length in 0..=bytes.len() {
            let text = &bytes[..length];
            assert_eq!(sha256(text)[..], Sha256::digest(text)[..], "{length}");
            let tagged = Sha256::new().chain_update([3]).chain_update(text).finalize();
            assert_eq!(tagged_sha256(3, text)[..], tagged[..], "{length}");
        }
    }
}
