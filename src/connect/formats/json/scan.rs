//! Where a JSON value ends, knowing only strings and brackets: the least a framing needs.

use memchr::memchr2;

/// Follows strings and depth over bytes that may come in pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanner {
    /// Open brackets.
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scanner {
    /// The bytes up to the comma or the closing bracket that ends an element of the array the
    /// bytes stand in; `None` if it is not among them.
    pub fn element(&mut self, bytes: &[u8]) -> Option<usize> {
        self.scan(bytes, |byte| matches!(byte, b',' | b']' | b'}'))
    }

    /// The bytes before the first one outside of any bracket and string that `stop` holds for.
    #[inline]
    pub fn scan(&mut self, bytes: &[u8], stop: impl Fn(u8) -> bool) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.in_string {
                if std::mem::take(&mut self.escaped) {
                    if at == bytes.len() {
                        self.escaped = true;
                        return None;
                    }
                    at += 1;
                }
                match memchr2(b'"', b'\\', bytes.get(at..)?) {
                    None => return None,
                    Some(found) if bytes[at + found] == b'"' => {
                        self.in_string = false;
                        at += found + 1;
                    }
                    Some(found) => {
                        self.escaped = true;
                        at += found + 1;
                        continue;
                    }
                }
            }
            loop {
                let byte = *bytes.get(at)?;
                if self.depth == 0 && stop(byte) {
                    return Some(at);
                }
                at += 1;
                match byte {
                    b'"' => {
                        self.in_string = true;
                        break;
                    }
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
            }
        }
    }
}
