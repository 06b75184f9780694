//! MariaDB's UUID, INET4 and INET6.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::CodecError;
use super::default_value;
use super::plan::{Context, Decode, Fallback, Plan, text_in};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// A cell filled up with the zero bytes that the server may have taken off its end.
fn padded<const N: usize>(cell: &[u8], column_type: &'static str) -> Result<[u8; N], ValueError> {
    let mut bytes = [0; N];
    match bytes.get_mut(..cell.len()) {
        Some(front) => {
            front.copy_from_slice(cell);
            Ok(bytes)
        }
        None => Err(ValueError::Length { column_type, expected: N, actual: cell.len() }),
    }
}

#[derive(Clone, Debug)]
struct Uuid;

impl Decode for Uuid {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut text = uuid::Uuid::encode_buffer();
        let text = uuid::Uuid::from_bytes(padded(cell, "UUID")?).hyphenated().encode_lower(&mut text);
        text_in(arena, text.as_bytes())
    }
}

/// UUID.
pub(super) fn uuid(_context: &Context<'_>) -> Result<Plan, CodecError> {
    let schema = Schema::new(Kind::String).named("io.debezium.data.Uuid").version(1);
    Ok(Plan::new(schema, Fallback::Scalar(Value::text("")), Uuid, |_| Err("a UUID cannot be read from text")))
}

fn default(text: &str) -> Result<Option<Value>, &'static str> {
    Ok(Some(Value::text(default_value::without_introducer(text))))
}

#[derive(Clone, Debug)]
struct Inet4;

impl Decode for Inet4 {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let address = Ipv4Addr::from(padded::<4>(cell, "INET4")?);
        Ok(ValueRef::String(bumpalo::format!(in arena, "{address}",).into_bump_str()))
    }
}

/// INET4, which Debezium does not know: text, as a query shows it.
pub(super) fn inet4(_context: &Context<'_>) -> Result<Plan, CodecError> {
    Ok(Plan::new(Schema::new(Kind::String), Fallback::Scalar(Value::text("")), Inet4, default))
}

#[derive(Clone, Debug)]
struct Inet6;

impl Decode for Inet6 {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let address = Ipv6Addr::from(padded::<16>(cell, "INET6")?);
        // Behind six zero words the server writes an IPv4 address; the standard library does that only behind ::ffff.
        let text = match address.segments() {
            [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
                let [.., a, b, c, d] = address.octets();
                bumpalo::format!(in arena, "::{a}.{b}.{c}.{d}",)
            }
            _ => bumpalo::format!(in arena, "{address}",),
        };
        Ok(ValueRef::String(text.into_bump_str()))
    }
}

/// INET6, which Debezium does not know: text, as a query shows it.
pub(super) fn inet6(_context: &Context<'_>) -> Result<Plan, CodecError> {
    Ok(Plan::new(Schema::new(Kind::String), Fallback::Scalar(Value::text("")), Inet6, default))
}
