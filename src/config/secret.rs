//! A value that must not be seen: it cannot be printed, serialised, compared or logged, and is
//! wiped from memory when it goes.

use std::fmt;

use zeroize::Zeroize;

/// A secret. [`Secret::reveal`] is the one way to its value, easy to search for.
///
/// There is no `Display` and no `Serialize`, so neither can be used by accident:
/// ```compile_fail
/// let secret = consign::config::Secret::new(String::from("canary"));
/// println!("{secret}");
/// ```
/// ```compile_fail
/// let secret = consign::config::Secret::new(String::from("canary"));
/// serde_json::to_string(&secret);
/// ```
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one call that needs it. Never keep or format it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_show_itself() {
        #[derive(Debug)]
        struct Holder {
            _token: Secret<String>,
        }
        let holder = Holder { _token: Secret::new("canary-7f3a".into()) };
        assert_eq!(format!("{holder:?}"), "Holder { _token: *** }");
        assert_eq!(format!("{holder:#?}").matches("canary").count(), 0);
        assert_eq!(holder._token.reveal(), "canary-7f3a");
    }
}
