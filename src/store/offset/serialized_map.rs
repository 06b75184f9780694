//! A `java.util.HashMap<byte[], byte[]>` in Java's serialisation: what Connect's standalone worker writes.
//!
//! In: bytes of any length and honesty. Out: pairs of byte arrays, or what is wrong and where. Promised: total:
//! no length is believed before the bytes are there. Written maps are read by Java.
//!
//! Source: Java Object Serialization Specification, chapter 6; `HashMap.writeObject`;
//! Kafka Connect's `FileOffsetBackingStore`.

/// Pairs in the order of the file; `None` stands for Java's null.
pub(super) type Pairs = Vec<(Option<Vec<u8>>, Option<Vec<u8>>)>;

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) problem: &'static str,
    pub(super) at: usize,
}

/// `STREAM_MAGIC` and version 5.
const HEADER: &[u8] = &[0xAC, 0xED, 0x00, 0x05];
const TC_NULL: u8 = 0x70;
const TC_REFERENCE: u8 = 0x71;
const TC_ARRAY: u8 = 0x75;
/// `TC_OBJECT`, then the class: name, serialVersionUID, flags (serialisable, has a `writeObject`), two
/// fields, end of annotations, no super class.
const HASH_MAP: &[u8] = b"\x73\x72\x00\x11java.util.HashMap\x05\x07\xDA\xC1\xC3\x16\x60\xD1\x03\x00\x02F\x00\x0AloadFactorI\x00\x09threshold\x78\x70";
/// The class of byte arrays, in full at its first use.
const BYTE_ARRAY: &[u8] = b"\x72\x00\x02[B\xAC\xF3\x17\xF8\x06\x08\x54\xE0\x02\x00\x00\x78\x70";
/// Handles count from here: 0 the map's class, 1 the map, 2 the array class, from 3 the arrays.
const BASE_HANDLE: u32 = 0x007E_0000;
const ARRAY_CLASS: u32 = BASE_HANDLE + 2;
const FIRST_ARRAY: u32 = BASE_HANDLE + 3;
const TC_ENDBLOCKDATA: u8 = 0x78;

/// Writes a map.
pub(super) fn write(pairs: &Pairs) -> Vec<u8> {
    let mut out = [HEADER, HASH_MAP].concat();
    let mut buckets: u32 = 16;
    while u64::from(buckets) * 3 / 4 < pairs.len() as u64 {
        buckets *= 2;
    }
    out.extend(0.75f32.to_be_bytes());
    out.extend((buckets / 4 * 3).to_be_bytes());
    out.extend([0x77, 8]);
    out.extend(buckets.to_be_bytes());
    out.extend(length_of(pairs.len()));
    let mut class_written = false;
    for bytes in pairs.iter().flat_map(|(key, value)| [key, value]) {
        let Some(bytes) = bytes else {
            out.push(TC_NULL);
            continue;
        };
        out.push(TC_ARRAY);
        if class_written {
            out.push(TC_REFERENCE);
            out.extend(ARRAY_CLASS.to_be_bytes());
        } else {
            out.extend(BYTE_ARRAY);
            class_written = true;
        }
        out.extend(length_of(bytes.len()));
        out.extend(bytes);
    }
    out.push(TC_ENDBLOCKDATA);
    out
}

fn length_of(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// Reads a map.
pub(super) fn read(bytes: &[u8]) -> Result<Pairs, Broken> {
    let mut reader = Reader { bytes, at: 0, arrays: Vec::new(), class_read: false };
    reader.expect(HEADER, "it does not begin with Java's serialisation header")?;
    reader.expect(HASH_MAP, "its object is no java.util.HashMap")?;
    reader.take(8)?;
    reader.expect(&[0x77, 8], "the map's size is not where it should be")?;
    reader.take(4)?;
    let count = reader.number()?;
    let mut pairs = Pairs::new();
    for _ in 0..count {
        let key = reader.array()?;
        pairs.push((key, reader.array()?));
    }
    reader.expect(&[TC_ENDBLOCKDATA], "the map does not end where it should")?;
    Ok(pairs)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Arrays by handle: an array that occurs twice is written once.
    arrays: Vec<Vec<u8>>,
    class_read: bool,
}

impl<'a> Reader<'a> {
    fn broken<T>(&self, problem: &'static str) -> Result<T, Broken> {
        Err(Broken { problem, at: self.at })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let end = self.at.checked_add(length);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(taken) => {
                self.at += length;
                Ok(taken)
            }
            None => self.broken("it ends early"),
        }
    }

    fn expect(&mut self, wanted: &[u8], problem: &'static str) -> Result<(), Broken> {
        let at = self.at;
        if self.take(wanted.len())? == wanted { Ok(()) } else { Err(Broken { problem, at }) }
    }

    fn number(&mut self) -> Result<u32, Broken> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn array(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        match self.take(1)? {
            [TC_NULL] => Ok(None),
            [TC_REFERENCE] => {
                let place = self.number()?.checked_sub(FIRST_ARRAY).map(|place| place as usize);
                match place.and_then(|place| self.arrays.get(place)) {
                    Some(array) => Ok(Some(array.clone())),
                    None => self.broken("a reference leads to no byte array"),
                }
            }
            [TC_ARRAY] => {
                if self.class_read {
                    self.expect(&[TC_REFERENCE], "an array is none of bytes")?;
                    self.expect(&ARRAY_CLASS.to_be_bytes(), "an array is none of bytes")?;
                } else {
                    self.expect(BYTE_ARRAY, "an array is none of bytes")?;
                    self.class_read = true;
                }
                let length = self.number()? as usize;
                let array = self.take(length)?.to_vec();
                self.arrays.push(array.clone());
                Ok(Some(array))
            }
            _ => self.broken("the map holds something else than byte arrays"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    /// Written by `ObjectOutputStream.writeObject` of OpenJDK 17: three pairs, of which one has no value and one
    /// is null on both sides.
    const FROM_JAVA: &[u8] = include_bytes!("../../../tests/golden/offsets/connect-standalone.offsets");

    fn check(pairs: Pairs) {
        assert_eq!(read(&write(&pairs)), Ok(pairs));
    }

    #[test]
    fn maps_go_through_unchanged() {
        check(vec![]);
        check(vec![(Some(b"k".to_vec()), Some(b"v".to_vec()))]);
        check((0..100u8).map(|n| (Some(vec![n; n as usize]), (n % 3 > 0).then(|| vec![n]))).collect());
        check(vec![(None, None)]);
    }

    #[test]
    fn the_bytes_are_those_of_java() {
        let pairs = read(FROM_JAVA).unwrap();
        assert_eq!(pairs.len(), 3);
        assert_eq!(pairs[1].0.as_deref(), Some(br#"["inventory",{"server":"dbserver1"}]"#.as_slice()));
        assert_eq!(write(&pairs), FROM_JAVA);
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_survived() {
        let whole = write(&vec![(Some(b"key".to_vec()), Some(b"value".to_vec())), (Some(b"b".to_vec()), None)]);
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length} bytes were enough");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                let _ = read(&changed);
            }
        }
    }
}
