//! Who asks, and whether they may.
//!
//! In: a route's right and a request's `Authorization`. Out: nothing, or the refusal. Promised: passwords and tokens are
//! compared in a time that does not depend on how much of them is right; a refusal does not say what was wrong.

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::answer::{Answer, Content};
use super::routes::Right;
use crate::config::rest_access::{RestAccess, Role};

/// Whether a request may be obeyed.
pub(super) fn check(access: &RestAccess, right: Right, headers: &HeaderMap) -> Result<(), Answer> {
    if right == Right::Open || access.is_open() {
        return Ok(());
    }
    let role =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| role(access, text));
    match (role, right) {
        (Some(Role::Write), _) | (Some(Role::Read), Right::Read) => Ok(()),
        (Some(Role::Read), _) => Err(Answer::refusal(StatusCode::FORBIDDEN, "This token may only read")),
        // Connect's words, in Connect's form: no JSON.
        (None, _) => Err(Answer {
            body: Content::Text("text/plain", "User cannot access the resource.".to_owned()),
            challenge: true,
            ..Answer::empty(StatusCode::UNAUTHORIZED)
        }),
    }
}

/// What somebody may who says this.
fn role(access: &RestAccess, authorization: &str) -> Option<Role> {
    let (method, said) = authorization.split_once(' ')?;
    if method.eq_ignore_ascii_case("bearer") {
        let tokens = access.tokens.as_deref().unwrap_or_default();
        return tokens.iter().find(|token| same(token.secret.expose(), said.trim())).map(|token| token.role);
    }
    if !method.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(said.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    let known = access.users.as_ref()?.get(user)?;
    same(known.expose(), password).then_some(Role::Write)
}

/// Digests of one length each are compared.
fn same(known: &str, said: &str) -> bool {
    openssl::memcmp::eq(&Sha256::digest(known.as_bytes()), &Sha256::digest(said.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::config::rest_access::Token;
    use crate::config::secret::Secret;

    fn check(access: &RestAccess, right: Right, authorization: Option<&str>, expected: u16) {
        let mut headers = HeaderMap::new();
        if let Some(text) = authorization {
            headers.insert(header::AUTHORIZATION, text.parse().unwrap());
        }
        let status = super::check(access, right, &headers).map_or_else(|answer| answer.status.as_u16(), |()| 200);
        assert_eq!(status, expected, "{right:?} {authorization:?}");
    }

    #[test]
    fn only_those_who_may_are_let_in() {
        let open = RestAccess::default();
        check(&open, Right::Write, None, 200);
        // A file of passwords without any lets everybody in, as Connect's module does.
        check(&RestAccess { users: Some([].into()), tokens: None }, Right::Write, None, 200);
        let users = Some([("me".to_owned(), Secret::new("pass:word"))].into());
        let token = |role, secret: &str| Token { name: "x".to_owned(), role, secret: Secret::new(secret) };
        let tokens = Some(vec![token(Role::Read, "looks"), token(Role::Write, "writes")]);
        let access = RestAccess { users, tokens };
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        check(&access, Right::Open, None, 200);
        check(&access, Right::Read, None, 401);
        check(&access, Right::Write, Some(&basic("me:pass:word")), 200);
        check(&access, Right::Write, Some(&basic("me:pass")), 401);
        check(&access, Right::Read, Some(&basic("you:pass:word")), 401);
        check(&access, Right::Read, Some("Basic ****"), 401);
        check(&access, Right::Read, Some("Bearer looks"), 200);
        check(&access, Right::Write, Some("bearer looks"), 403);
        check(&access, Right::Write, Some("Bearer writes"), 200);
        check(&access, Right::Read, Some("Bearer "), 401);
        check(&access, Right::Read, Some("Bearer"), 401);
        check(&access, Right::Read, Some("Negotiate looks"), 401);
    }
}
