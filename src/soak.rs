//! How long random tests go on: as long as usual, or longer where a soak is asked for.

/// How many rounds a random test does: the usual number, or `CONSIGN_SOAK` if that is more.
pub(crate) fn rounds(usual: u32) -> u32 {
    let asked = std::env::var_os("CONSIGN_SOAK").and_then(|n| n.into_string().ok()?.parse().ok());
    usual.max(asked.unwrap_or(0))
}
