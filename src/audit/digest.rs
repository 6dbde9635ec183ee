//! SHA-256 of a short text that is there in one piece. Leaves, nodes and the running hash are some dozens of bytes
//! each: the buffer that takes a text piece by piece, and gives it on block by block, costs a third of their hash.

use sha2::block_api::compress256;

use super::chain::Hash;

/// Bytes of a block.
const BLOCK: usize = 64;

/// What the state begins as (FIPS 180-4 section 5.3.3).
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The SHA-256 of a byte and what follows it.
pub(super) fn tagged(tag: u8, text: &[u8]) -> Hash {
    let mut state = START;
    let mut block = [0; BLOCK];
    block[0] = tag;
    let (mut used, mut rest) = (1, text);
    if let Some((first, more)) = text.split_at_checked(BLOCK - 1) {
        block[1..].copy_from_slice(first);
        compress256(&mut state, &[block]);
        let (whole, end) = more.as_chunks();
        compress256(&mut state, whole);
        (used, rest) = (0, end);
        block = [0; BLOCK];
    }
    // What is left is less than a block; a bit that is set follows it, and the length in bits ends the last block.
    block[used..used + rest.len()].copy_from_slice(rest);
    used += rest.len();
    block[used] = 0x80;
    if used + 1 > BLOCK - 8 {
        compress256(&mut state, &[block]);
        block = [0; BLOCK];
    }
    block[BLOCK - 8..].copy_from_slice(&((text.len() as u64 + 1) * 8).to_be_bytes());
    compress256(&mut state, &[block]);
    let mut hash = [0; 32];
    for (to, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn it_is_sha_256_at_every_length() {
        let text: Vec<u8> = (0..1024u32).map(|n| (n * 7 + n / 256) as u8).collect();
        for length in 0..text.len() {
            let expected = Sha256::new().chain_update([3]).chain_update(&text[..length]).finalize();
            assert_eq!(tagged(3, &text[..length])[..], expected[..], "{length}");
        }
    }
}
