//! The Merkle tree over the leaves of a log (RFC 6962 section 2.1, RFC 9162 section 2.1): the
//! frontier that grows with each event, roots, proofs, and their verification. Pure.
//!
//! Nodes are not all kept: of the levels above the leaves only every eighth is ([`STRIDE`]), the
//! rest is worked out again from at most 255 hashes a level. So the tree costs an eighth of a byte
//! for each event, and a proof over ten million events reads three short runs.

use sha2::{Digest, Sha256};

use super::chain::Hash;
use crate::record::digest::tagged_sha256;

/// Of the inner levels only those divisible by this are kept.
pub const STRIDE: u32 = 8;

/// How many leaves lie below one node of the first kept level.
pub const TILE: u64 = 1 << STRIDE;

/// The hash of a node from those of its two children.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    tagged_sha256(1, [*left, *right].as_flattened())
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// What of a tree is needed to add leaves and to know its root: the roots of the perfect trees that
/// it is made of, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of a tree of that size, from the bytes that [`Self::bytes`] gave; `None` if
    /// they do not fit it.
    pub fn of(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, rest) = bytes.as_chunks::<32>();
        (rest.is_empty() && peaks.len() == size.count_ones() as usize).then(|| Self { size, peaks: peaks.to_vec() })
    }

    /// The hashes, one after the other.
    pub fn bytes(&self) -> &[u8] {
        self.peaks.as_flattened()
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf, and says which nodes became complete through it: level, index on it, hash.
    pub fn add<E>(&mut self, leaf: Hash, mut complete: impl FnMut(u32, u64, &Hash) -> Result<(), E>) -> Result<(), E> {
        let mut hash = leaf;
        let mut level = 0;
        while self.size >> level & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node(&left, &hash);
            level += 1;
            complete(level, self.size >> level, &hash)?;
        }
        self.peaks.push(hash);
        self.size += 1;
        Ok(())
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let _: Result<(), std::convert::Infallible> = self.add(leaf, |_, _, _| Ok(()));
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => empty_root(),
            Some(last) => peaks.fold(*last, |right, left| node(left, &right)),
        }
    }
}

/// Where kept nodes are read from.
pub trait Nodes {
    /// What reading fails with.
    type Error;
    /// `count` hashes of a kept level (0: leaves) from that index on. All of them are complete.
    ///
    /// # Errors
    /// They cannot be read, or are not kept any more.
    fn run(&self, level: u32, first: u64, count: u64) -> Result<Vec<Hash>, Self::Error>;
}

/// Leaves in memory, for tests and small trees.
impl Nodes for [Hash] {
    type Error = std::convert::Infallible;
    fn run(&self, level: u32, first: u64, count: u64) -> Result<Vec<Hash>, Self::Error> {
        let wide = 1usize << level;
        let of = |index: u64| folded(self[index as usize * wide..][..wide].to_vec());
        Ok((first..first + count).map(of).collect())
    }
}

/// The root of the tree as it was at that size.
///
/// # Errors
/// Of the reading.
pub fn root_at<N: Nodes + ?Sized>(size: u64, nodes: &N) -> Result<Hash, N::Error> {
    if size == 0 { Ok(empty_root()) } else { range(0, size, nodes) }
}

/// The frontier of the tree as it was at that size.
///
/// # Errors
/// Of the reading.
pub fn frontier_at<N: Nodes + ?Sized>(size: u64, nodes: &N) -> Result<Frontier, N::Error> {
    let mut peaks = Vec::new();
    let mut first = 0;
    for level in (0..64).rev().filter(|level| size >> level & 1 == 1) {
        peaks.push(perfect(level, first >> level, nodes)?);
        first += 1 << level;
    }
    Ok(Frontier { size, peaks })
}

/// The proof that leaf `index` is in the tree of that size, from the leaf's sibling up.
///
/// # Errors
/// Of the reading. `index` must be less than `size`.
pub fn inclusion<N: Nodes + ?Sized>(index: u64, size: u64, nodes: &N) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    let (mut first, mut end) = (0, size);
    while end - first > 1 {
        let middle = first + split(end - first);
        if index < middle {
            proof.push(range(middle, end, nodes)?);
            end = middle;
        } else {
            proof.push(range(first, middle, nodes)?);
            first = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of size `new` holds the tree of size `old` unchanged.
///
/// # Errors
/// Of the reading. `old` must not be more than `new`.
pub fn consistency<N: Nodes + ?Sized>(old: u64, new: u64, nodes: &N) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (mut first, mut end, mut whole) = (0, new, true);
    while old < end {
        let middle = first + split(end - first);
        if old <= middle {
            proof.push(range(middle, end, nodes)?);
            end = middle;
        } else {
            proof.push(range(first, middle, nodes)?);
            first = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(range(first, end, nodes)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Verifies that a leaf is in the tree with that root (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// What does not fit, without a final period.
pub fn check_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> Result<(), &'static str> {
    if index >= size {
        return Err("the index lies beyond the tree");
    }
    let (mut here, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err("the proof is too long");
        }
        if here & 1 == 1 || here == last {
            hash = node(sibling, &hash);
            while here & 1 == 0 && here != 0 {
                here >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        here >>= 1;
        last >>= 1;
    }
    match (last == 0, hash == *root) {
        (false, _) => Err("the proof is too short"),
        (true, false) => Err("the proof leads to another root"),
        (true, true) => Ok(()),
    }
}

/// Verifies that a tree holds an earlier one unchanged (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// What does not fit, without a final period.
pub fn check_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), &'static str> {
    if old > new {
        return Err("the earlier tree is larger");
    }
    if old == 0 {
        return Err("every tree holds one without leaves: that says nothing");
    }
    if old == new {
        return match (proof.is_empty(), old_root == new_root) {
            (false, _) => Err("the proof is too long"),
            (true, false) => Err("two roots for one size"),
            (true, true) => Ok(()),
        };
    }
    let shift = old.trailing_zeros();
    let (mut here, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    // A perfect earlier tree is a node of the later one: its root opens the proof and is not sent.
    let mut steps = proof.iter();
    let start = if old.is_power_of_two() { Some(old_root) } else { steps.next() };
    let Some(start) = start else { return Err("the proof is too short") };
    let (mut earlier, mut later) = (*start, *start);
    for step in steps {
        if last == 0 {
            return Err("the proof is too long");
        }
        if here & 1 == 1 || here == last {
            earlier = node(step, &earlier);
            later = node(step, &later);
            while here & 1 == 0 && here != 0 {
                here >>= 1;
                last >>= 1;
            }
        } else {
            later = node(&later, step);
        }
        here >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err("the proof is too short");
    }
    match (earlier == *old_root, later == *new_root) {
        (true, true) => Ok(()),
        (false, _) => Err("the proof leads to another earlier root"),
        (true, false) => Err("the proof leads to another root"),
    }
}

/// The largest power of two that is less than `count`, which is more than 1.
fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// The hash over leaves `first..end`, of which `first` is where a subtree begins.
fn range<N: Nodes + ?Sized>(first: u64, end: u64, nodes: &N) -> Result<Hash, N::Error> {
    let count = end - first;
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return perfect(level, first >> level, nodes);
    }
    let middle = first + split(count);
    Ok(node(&range(first, middle, nodes)?, &range(middle, end, nodes)?))
}

/// The node of that level and index, all of whose leaves are there.
fn perfect<N: Nodes + ?Sized>(level: u32, index: u64, nodes: &N) -> Result<Hash, N::Error> {
    let above = level % STRIDE;
    Ok(folded(nodes.run(level - above, index << above, 1 << above)?))
}

/// The root over a power of two of hashes; all zeros over none.
fn folded(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        hashes = hashes.as_chunks::<2>().0.iter().map(|[left, right]| node(left, right)).collect();
    }
    hashes.pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::chain;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use serde_json::Value;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| chain::leaf(&n.to_be_bytes())).collect()
    }

    /// Only the leaves and every eighth level, as a store keeps them.
    struct Kept(std::collections::BTreeMap<(u32, u64), Hash>);

    impl Nodes for Kept {
        type Error = String;
        fn run(&self, level: u32, first: u64, count: u64) -> Result<Vec<Hash>, String> {
            let of = |index| self.0.get(&(level, index)).copied().ok_or(format!("no node {level}/{index}"));
            (first..first + count).map(of).collect()
        }
    }

    fn kept(leaves: &[Hash]) -> (Kept, Frontier) {
        let mut all = std::collections::BTreeMap::new();
        let mut frontier = Frontier::default();
        for (index, leaf) in leaves.iter().enumerate() {
            all.insert((0, index as u64), *leaf);
            let keep = |level: u32, index, hash: &Hash| {
                if level.is_multiple_of(STRIDE) {
                    all.insert((level, index), *hash);
                }
                Ok::<(), String>(())
            };
            frontier.add(*leaf, keep).unwrap();
        }
        (Kept(all), frontier)
    }

    fn vectors(name: &str) -> Vec<Value> {
        let path = format!("{}/tests/fixtures/merkle/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        value.as_str().map(|text| STANDARD.decode(text).unwrap()).unwrap_or_default()
    }

    /// `None`: a hash of the wrong length, which no caller can hand over.
    fn hash(value: &Value) -> Option<Hash> {
        bytes(value).try_into().ok()
    }

    fn proof(value: &Value) -> Option<Vec<Hash>> {
        value["proof"].as_array().map_or(Some(Vec::new()), |all| all.iter().map(hash).collect())
    }

    #[test]
    fn the_public_inclusion_vectors_hold() {
        let mut good = 0;
        for vector in vectors("inclusion") {
            let number = |name: &str| vector[name].as_u64().unwrap();
            let (index, size) = (number("leafIdx"), number("treeSize"));
            let held = match (hash(&vector["leafHash"]), hash(&vector["root"]), proof(&vector)) {
                (Some(leaf), Some(root), Some(proof)) => check_inclusion(index, size, &leaf, &proof, &root).is_ok(),
                _ => false,
            };
            assert_eq!(held, !vector["wantErr"].as_bool().unwrap(), "{}", vector["name"]);
            good += u32::from(held);
        }
        assert!(good > 0);
    }

    #[test]
    fn the_public_consistency_vectors_hold() {
        let mut good = 0;
        for vector in vectors("consistency") {
            let number = |name: &str| vector[name].as_u64().unwrap();
            let (old, new) = (number("size1"), number("size2"));
            // Some of their roots are just words that are equal or not.
            let of = |name: &str| hash(&vector[name]).unwrap_or_else(|| Sha256::digest(bytes(&vector[name])).into());
            let proof = proof(&vector);
            let held =
                proof.is_some_and(|proof| check_consistency(old, new, &of("root1"), &of("root2"), &proof).is_ok());
            assert_eq!(held, !vector["wantErr"].as_bool().unwrap(), "{}", vector["name"]);
            good += u32::from(held);
        }
        assert!(good > 0);
    }

    #[test]
    fn the_known_roots_of_rfc_6962_implementations() {
        // The eight leaves that implementations of Certificate Transparency test with.
        let bodies =
            ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::default();
        assert_eq!(chain::hex(&frontier.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (body, root) in bodies.into_iter().zip(roots) {
            frontier.push(chain::leaf(&data_encoding::HEXLOWER.decode(body.as_bytes()).unwrap()));
            assert_eq!(chain::hex(&frontier.root()), root, "{}", frontier.size());
        }
    }

    #[test]
    fn every_proof_of_small_trees_verifies_and_no_changed_one_does() {
        let all = leaves(40);
        for size in 1..=all.len() as u64 {
            let root = root_at(size, &all[..]).unwrap();
            for index in 0..size {
                let leaf = &all[index as usize];
                let proof = inclusion(index, size, &all[..]).unwrap();
                check_inclusion(index, size, leaf, &proof, &root).unwrap();
                for wrong in 0..size + 2 {
                    // A leaf stands at one place only.
                    assert_eq!(check_inclusion(wrong, size, leaf, &proof, &root).is_ok(), wrong == index);
                }
                for step in 0..proof.len() {
                    let mut changed = proof.clone();
                    changed[step][7] ^= 1;
                    assert!(check_inclusion(index, size, leaf, &changed, &root).is_err());
                }
                let mut long = proof.clone();
                long.push(root);
                assert!(check_inclusion(index, size, leaf, &long, &root).is_err());
                if !proof.is_empty() {
                    assert!(check_inclusion(index, size, leaf, &proof[1..], &root).is_err());
                }
            }
            for old in 1..=size {
                let earlier = root_at(old, &all[..]).unwrap();
                let proof = consistency(old, size, &all[..]).unwrap();
                check_consistency(old, size, &earlier, &root, &proof).unwrap();
                for step in 0..proof.len() {
                    let mut changed = proof.clone();
                    changed[step][0] ^= 0x80;
                    assert!(check_consistency(old, size, &earlier, &root, &changed).is_err());
                }
                if old < size {
                    assert!(check_consistency(old, size, &root, &root, &proof).is_err());
                    assert!(check_consistency(old, size, &earlier, &earlier, &proof).is_err());
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(24)))]
        #[test]
        fn kept_levels_are_enough(size in 1u64..70_000, a in any::<u64>(), b in any::<u64>()) {
            let all = leaves(size);
            let (kept, frontier) = kept(&all);
            let root = frontier.root();
            prop_assert_eq!(root_at(size, &kept).unwrap(), root);
            prop_assert_eq!(&frontier_at(size, &kept).unwrap(), &frontier);
            prop_assert_eq!(Frontier::of(size, frontier.bytes()), Some(frontier));
            let (index, old) = (a % size, b % size + 1);
            let proof = inclusion(index, size, &kept).unwrap();
            prop_assert!(check_inclusion(index, size, &all[index as usize], &proof, &root).is_ok());
            let proof = consistency(old, size, &kept).unwrap();
            prop_assert!(check_consistency(old, size, &root_at(old, &kept).unwrap(), &root, &proof).is_ok());
        }

        #[test]
        fn no_garbage_passes_or_makes_it_panic(index in any::<u64>(), size in any::<u64>(), proof in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
            let root = [7; 32];
            prop_assert!(check_inclusion(index, size, &[0; 32], &proof, &root).is_err());
            prop_assert!(size <= index || index == 0 || check_consistency(index, size, &[1; 32], &root, &proof).is_err());
        }
    }
}
