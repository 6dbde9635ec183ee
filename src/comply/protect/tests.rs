//! What holds for functions with keys.
