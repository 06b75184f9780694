//! Text as one segment of a URL's path.

/// Every byte but the unreserved ones of RFC 3986 as `%XX`.
pub fn encode_segment(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_does_not_allow_is_escaped() {
        let check = |segment: &str, expected: &str| assert_eq!(encode_segment(segment), expected);
        check("orders-1.value_a~", "orders-1.value_a~");
        check("a/b c?", "a%2Fb%20c%3F");
        check("é%", "%C3%A9%25");
        check("", "");
    }
}
