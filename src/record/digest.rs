//! SHA-256 of what is short: a key, a node of a tree. The usual hasher keeps a buffer for what may still come,
//! which costs more than the digest of such a text does.

use sha2::block_api::compress256;

/// FIPS 180-4, section 5.3.3.
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The SHA-256 digest of bytes that are all there.
#[inline]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let (blocks, rest) = bytes.as_chunks::<64>();
    let mut state = START;
    if !blocks.is_empty() {
        compress256(&mut state, blocks);
    }
    // What ends it (section 5.1.1): a bit, zeros, and how many bits there were.
    let mut end = [[0_u8; 64]; 2];
    end[0][..rest.len()].copy_from_slice(rest);
    end[0][rest.len()] = 0x80;
    let last = usize::from(rest.len() > 55);
    end[last][56..].copy_from_slice(&(bytes.len() as u64).wrapping_mul(8).to_be_bytes());
    compress256(&mut state, &end[..=last]);
    let mut digest = [0; 32];
    for (place, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    digest
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::sha256;

    #[test]
    fn every_length_is_as_the_usual_hasher_has_it() {
        let bytes: Vec<u8> = (0..300_u32).map(|at| (at * 7 + 3) as u8).collect();
        for length in 0..=bytes.len() {
            let usual: [u8; 32] = Sha256::digest(&bytes[..length]).into();
            assert_eq!(sha256(&bytes[..length]), usual, "{length}");
        }
    }
}
