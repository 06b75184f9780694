//! Stores that Java 17's keytool made, and hostile ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use base64::Engine;
use proptest::prelude::*;

use super::super::Secret;
use super::*;
use crate::util::key_store::java_store;

/// keytool -importcert -storetype JKS
const TRUST_JKS: &str = "\
    /u3+7QAAAAIAAAABAAAAAgACY2EAAAGh/USM3gAFWC41MDkAAAIGMIICAjCCAWugAwIBAgIUUn6N2bRkr1Fdbvb+v2xWCEJ2UXQwDQYJKoZIhv\
    cNAQELBQAwEjEQMA4GA1UEAwwHRml4dHVyZTAgFw0yNjExMjEwODQxMzBaGA8yMTI2MTAyODA4NDEzMFowEjEQMA4GA1UEAwwHRml4dHVyZTCB\
    nzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAwXZv1Wtp/UmFFATuSUyAt5lig+Q+x3GBSuMMvUzLi0yRdvIOnlLVO2tFL+rOUPQnWcnRqGvmSN\
    GHbNJIgvhwK1r9ISh3w87qSCGiihNvD7PMbjGoDfTWMRQ9TqCUirtwkg+ySFBHlrF4qJhYkNttAo/ok7Y4YTMeSXpG4fV2K00CAwEAAaNTMFEw\
    HQYDVR0OBBYEFNMhP3kqFQQqTrsO6canbBpQVpwAMB8GA1UdIwQYMBaAFNMhP3kqFQQqTrsO6canbBpQVpwAMA8GA1UdEwEB/wQFMAMBAf8wDQ\
    YJKoZIhvcNAQELBQADgYEAp5y5a4dBF+Cc9YxjyWzeOI6XtNfdoT/31uuBzbmt5gjEl6MUtTbadjoA7MDlQCyiSZn0+sZ562WsUfFvGNNJ3iCl\
    ivOyrlFSFpeOONn/DmRFQflLC/QSPi3QIFJdjJdmSZEEvdSaInnqtufraYuPl6qCX9pkzYfU0gxWrircVYTXuxd5cCOn5qaqNMQFoUKy/+wxkg\
    ==";
/// keytool -importcert -storetype PKCS12
const TRUST_P12: &str = "\
    MIIDcgIBAzCCAxwGCSqGSIb3DQEHAaCCAw0EggMJMIIDBTCCAwEGCSqGSIb3DQEHBqCCAvIwggLuAgEAMIIC5wYJKoZIhvcNAQcBMGYGCSqGSI\
    b3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBQMsnQb9/GOgvl+q/H7FbIHrinbIAICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEIo+\
    PCGvLvhdZxSCx0ZYTXyAggJwnedfuTVklrj6r0EGqgNqQBnAjFnVWQbT0E9bDjdiRunghkCWdiONXf1PEpBaZlz35MvZ++qTuZ5qk/Xl8o69bM\
    0QG2OZz5IupoXVWnzTTa2mr2U2ccGWkeWZ18vLZkf4O/lfDSIyZCYa1IcTE/OTKPWhaKnyNhX50xDBQLLc6rw/HmcI9lY1Bou6HiI1AP2jJHTk\
    xvEsYplnAbVcPSnlTQIFdQdoLk7csIcp5HnxPH2qufqmVNctb86TFKEgQK3qNPgJDdN1dZ9I6lWA9RsULwXXa5eCzVa4IqFR4mc2TOlAMamF2V\
    gTbnPkprhQTu1ik0m6cX9l87kb1NWKnNI4eLdqDosgqXm9G7Y0rgdvoJCr/K/zy72SInn+0XqyLbB72JZyAbxHHz8ZqTUX+BL4QLpWsGqfP2PA\
    u2XKPduHNGCnzHdlxg7G9WAWjPAhvxKqHDyX2t9tsK3kIuH9xfYlZM4NtM2SgaETGRkVmDZvhzxLG7pIj+8NLGl9/jTQikpL7UG++ESHVi7+S9\
    mzhRp7Hn42XRvpDJDaCJkB4i32Leg/ZocK5Wh1Vu5XkX2u6nqbo2yoT8c1l3wrhOzdcSsbybnFLb7I8m2Kv5dayIY8IKG6qD1uHqM63ZhBXm4F\
    asagSRcWtxBVl74NhIkgluNyiFRmhOToety1eRLhSZzZuKrzthrrAIq505lOPFJVM5kuyHVhfdP0ax6amPjs5YM0i2fMvw9ozYfO3Hd3R/dS5M\
    yeS4gth4+gIlsUnjTg42pHGxwwEBOrGelS+a0up0JEgt045PXAO0x1/IR6qZOrFGbrFfizX/0ZEXOOHNUtTleAME0wMTANBglghkgBZQMEAgEF\
    AAQgFloWSdhHmvIoLKSSP+h6cZyEEI4V9UzffOX8+RrnQBIEFImOIWPHAXf5YtrJnKMW6DYI3rJJAgInEA==";
/// keytool -J-Dkeystore.pkcs12.legacy -importcert -storetype PKCS12: RC2, as Java before 17 wrote it
const OLD_P12: &str = "\
    MIIDHgIBAzCCAtcGCSqGSIb3DQEHAaCCAsgEggLEMIICwDCCArwGCSqGSIb3DQEHBqCCAq0wggKpAgEAMIICogYJKoZIhvcNAQcBMCkGCiqGSI\
    b3DQEMAQYwGwQUkMChvoggo/xtSbbAX9VqBXkRw7ACAwDDUICCAmhhA8WFZFTPQnZ3BnR4bOlEAddVTSF+HhhcZFeW1UfmFzU43KEfUD+gQPwP\
    +ucG+1rc3sLr+3ggHf5RVE3vgiq8QDpJ9IanFxyRcFbeIlXXOdlC+8CWRNf0objql7As+jZcH45bV8W0Dk8jsWIejgIn6NmOamQWVU9dVKzMRs\
    a/y7MbJ6pXqb6PBnkFbd8C8yCRq2s21LueLNFYQJeyKZszovc6fFAqL7Lj92nRIg/v+44heh74AMH39IeI0y3JEBPHskoga/CD4/r8Mx4WJKMu\
    5OJ5AyLIozpIh6FMbu1ebAxZcD4Xc+Z2P8sJRUcpGPIHro/mn8qCu4K0vo5NmEIYPnDOoABl/HfxxdazQsxI0NbEddc/izws+HORgFHaqw4mEG\
    GMC57AYGMHy9jh4HHPGQ+UXLp2+W3s4YTTPzzRjJ29y3IbLGKDkDX/lTvAUsBBqTR0Ba89IbG51LIepJ2VA5wC4IpKs5Hqeez88gbNFp1sv3GV\
    ZU7PLoeuO34KiQyEBAbiLrb7mqWukFmT1KEL5dbLsuXG/F2F4f2A0WmYH2uMcZLCzDSr3qNZPP05Ty9RvliWQ72BIRLbeDjhkU90Rd8tSRBStA\
    l1QPmlIQt5JLHEaw1IryhwBmnKBtfavynxDjt8Y0rXT3inW+EpOwuU3SsUmO+gCVcN+f2lBaUvNzIorFz19wVx1l4rpAKQU6IrRXBiZ84WogKY\
    OfKfm0s3jiG5Q5L5KjCJ3xAhPJExOLwpylNQ60el0pULCr2nPtT5tOwxzT9dnS4K0AVKjqBVQ9t69aNcbzC8fUJurBuEkkFrA8XRWJ4QMD4wIT\
    AJBgUrDgMCGgUABBR7pEMJYA4PotnyGGRKhm+BKAF6HwQUX46OcWf81s3KUKf0xtjbYNvhbEMCAwGGoA==";
/// keytool -importkeystore -deststoretype JKS, of a certificate and its key
const KEY_JKS: &str = "\
    /u3+7QAAAAIAAAABAAAAAQABMQAAAaH9RJemAAACuTCCArUwDgYKKwYBBAEqAhEBAQUABIICocpqxwAIzlHD63iDwsO1dSrlQqKj3YyZo7t/0e\
    RkruC/ITn2UfSe32/lnuKslNnab/0s0UkIKisEgy2J5lkTXRpjJJFBJ0jnbOHJnR5ybv2abTLNc+VMmWg2FA9Kc1DIgfcUvY/ckuEfemZV8RM6\
    XJOZVF42ABJfK1HljGUq43XE9TkObRyjQfx8pX7NgVp7f/t3jOEyyAG6Jp7yVmvLIJZvbxIjYHXmnIlnzKrAqAbtUmlo9p3VBkuvBFvW/w2tNH\
    +cNIn6HBgoefnBifF4jEl+toPlVYlK8VzUq6O11LB/5zYkkcu2f1SqmTgPTmr/s90c+VxYBHlcD3FVI5d4mXyuA0ZndIsYvC+eYIkc71XNi/rn\
    Svws1/IZlKl44RP5q42JTHT5uNcWIcyvD8m2dSG51kPy1pSjU+qdOJX1x1jAHOh2b1Kbi3ucTI8yP8tbOnFR0Oi4P32aXhy9RLOUViqTpbmALA\
    h/VTXGd329nYuwMtLt5mD34IUnG1mfBpYOHq+93jmgMIIK2djiRWHo5v8BfYnguJz0Elx5wBjPZ/R3koJ3b9qmeY4PCApT6ZaGm45YBY6k/Hg1\
    emVkHT04EWxqxt09a78JC3p112z5ioVjVqn6F5kUiaY7RsRHmmdHG/eTuFEapaxLl/oT419ngC3yvAuBoJ9koUTRZrplnG3+cF/AEuaaoSw3E1\
    i7R7mztDM7atkjtZU7PfpFZDx913zpg4y0rpXjxBrqg9DlpMGucZz0JG7mf67cxptHtqn8TxE8dNzgo6tt6fbkAnkGOcmFFWAr10Q7BdGDZTfp\
    SWWU5S5EuB929r0FtenS3VMd84ck12rqjleRTDgJ89NH33DBnrg7Nkz9SZGmSCEI5mz2D/f6Ljog/5tc3iA4a0M0cJ8AAAABAAVYLjUwOQAAAg\
    YwggICMIIBa6ADAgECAhRSfo3ZtGSvUV1u9v6/bFYIQnZRdDANBgkqhkiG9w0BAQsFADASMRAwDgYDVQQDDAdGaXh0dXJlMCAXDTI2MTEyMTA4\
    NDEzMFoYDzIxMjYxMDI4MDg0MTMwWjASMRAwDgYDVQQDDAdGaXh0dXJlMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDBdm/Va2n9SYUUBO\
    5JTIC3mWKD5D7HcYFK4wy9TMuLTJF28g6eUtU7a0Uv6s5Q9CdZydGoa+ZI0Yds0kiC+HArWv0hKHfDzupIIaKKE28Ps8xuMagN9NYxFD1OoJSK\
    u3CSD7JIUEeWsXiomFiQ220Cj+iTtjhhMx5Jekbh9XYrTQIDAQABo1MwUTAdBgNVHQ4EFgQU0yE/eSoVBCpOuw7pxqdsGlBWnAAwHwYDVR0jBB\
    gwFoAU0yE/eSoVBCpOuw7pxqdsGlBWnAAwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOBgQCnnLlrh0EX4Jz1jGPJbN44jpe0192h\
    P/fW64HNua3mCMSXoxS1Ntp2OgDswOVALKJJmfT6xnnrZaxR8W8Y00neIKWK87KuUVIWl4442f8OZEVB+UsL9BI+LdAgUl2Ml2ZJkQS91Joiee\
    q25+tpi4+XqoJf2mTNh9TSDFauKtxVhFzvCeYIA5I7ZlrEmm40dRXhad55";
/// keytool -importkeystore -deststoretype PKCS12, of that JKS
const KEY_P12: &str = "\
    MIIGygIBAzCCBnQGCSqGSIb3DQEHAaCCBmUEggZhMIIGXTCCA1QGCSqGSIb3DQEHAaCCA0UEggNBMIIDPTCCAzkGCyqGSIb3DQEMCgECoIIC8D\
    CCAuwwZgYJKoZIhvcNAQUNMFkwOAYJKoZIhvcNAQUMMCsEFLi0VKH8mAcYbt8ENvEDjw/GkrjrAgInEAIBIDAMBggqhkiG9w0CCQUAMB0GCWCG\
    SAFlAwQBKgQQsF4pdHkHZcJqxqAR3wv64QSCAoDwQy0wwx/Ig6Nh0B7Ji0YVM/6z4QK8J+/3coynkhAk5WdV3vYdPISKSFj3XfZt06PYzN6xRW\
    wI3VEN8idsePGZ0RB+0iMMHfAKPBWkD0pbI/DnNA19Az4xdwN3nS3YW4xQ5cEWqEKJ+VhbXQ7WSwIs8Zch1Y2eCKSBKg7sJJf+z5azFR70rFe5\
    c+bQiymNXzt1Lu3Soq7dHGimAzJivIHfhsx1RFE97ASkqpTvZWNsi/5VX6NeT74HYI0sNSZnCWW8UaRFsdXZmTfkD5VEjIyVvV2KN4z41gmZmL\
    tbRA1sQaRa+2eDA7Pa/ZLZI+DlkHj0b91jYPkMdgxIsh/SYu7p0c8L5akrMznEx7Pjye4xaAL1LNXrD9BfVSzviyS7LYbVmlSoG+C29lHVDNWi\
    9U2TmCaJ2moL9Z9kjS/cWgH+Z8TmvbA8qxAUBP7VO1JuLt6eciGYa+lUAj4d59gHrJhDO7OCrjV5BcHkRNaNOCtyFUEWU+jkJKu33JB2eiUvwV\
    wjaqCy8auBUJb1HDypW+RtVLAmxHCMMg3TTyxJkjxg0oWrKmSHYRLFqAReTVcPY3jWn9KIJd7WSp4LdQ0Aq/PM3AVikAfLomaiCRpG4MaoCofY\
    77t4+UUq51hzez0csdqYorkRiP2emG0YgMVlD8KuZEayxb+KekfC1cLMOVmoqhkkqh09su7Ghy1VUjUbGu1MCokWwqxH5ez0s5uQDbs1GaYtrX\
    J1wjnWQLM7RIPBA+a8JVe3UxNUjP1FGUHIl7Bp6ZGlFtf62ATVzolI3Gnim6vjJIKxFJXnkm/DSeHYJJcd/pCMSijQrhcg7xNftgz5akVu028y\
    xwR3u2XDRyJxMTYwEQYJKoZIhvcNAQkUMQQeAgAxMCEGCSqGSIb3DQEJFTEUBBJUaW1lIDE3OTUyNTA0OTM4MDIwggMBBgkqhkiG9w0BBwaggg\
    LyMIIC7gIBADCCAucGCSqGSIb3DQEHATBmBgkqhkiG9w0BBQ0wWTA4BgkqhkiG9w0BBQwwKwQUym9+lr4cJwGIXIWJrZFTxy858MMCAicQAgEg\
    MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBCW2zRIVpQ+G/gF7XOC2f7jgIICcFWa+EXG75s/zIADaf+E7XojQPqmBmFOjZRlT2WCQ8O20B\
    CVQEgebi9IUcG4NnjgHr0FfT8QUq9wEq5k8I9F/1OOuqQeuxHs035rGQuJoKkdUKMo3+QvwdQfSZ2DhI8OPrYy5OtPRe/MAGuIQn8yJBh+HdFH\
    e6b2D4bWo0bfGe0vNeWMUbPMc90n+RD7lRBrbmzNPFia/D7k3I8adOavf7rKY34cMmM54SKkWD3snPTAC4eJgqqkCpEPtK6HcZ1j+GhCUpSYv/\
    FF1CQWG4krYWAvbWK10Aj0HeXW7K97w3ktUSrKwWqzeG0LnWJS6/s1o+CqNbJH2siVixxh6/4Veu1n3isLk97pJr11RukOYNWIFKGCF7ehXJOP\
    qCdyaewbKwdc1LT5ZkdzgK6b4gYGsDf7DTv0F5Dz9adv+9+okVep8Vw4vhj7EBgKy5vAnZcB0SM2N/Vv2fmX2BB+Fu1trTuSLAEDc3x236VRx1\
    AHw/wbtQRtV9Rgdk5lKXl90sqf890X7eMJBCZlMiikmsdgYVbFhU2CWaHv3cT4SnrVkZyMJOZAoEmXb+144A2V+49cFBy8RU8mGlTY37jOdfe9\
    i4JJVvCEAFQNFUOEPKop6F3S4NGN7rsnwnHlyux9AfGuN9/L8nvzkU2yRbpkfP+uUWKN0L/0QtJyM3OOaNLblRIGzDR3hH7Yl4nTQjKTBzg9JB\
    vSvWZPD+Xm8vVJQeObQh9kr5Fw7OinVvVAHuzvLbVwrUKzjTLOFG535Pg+DVj2FH18X8lfps2SDgGanBGdTsG48jKkAymwGpOmqXKqoK/KqBq1\
    +Z3Y11k9BQTl2dSByDBNMDEwDQYJYIZIAWUDBAIBBQAEIFUqg50mZeGfNVYSilUxZzXTEK5Em+33rW33mGB/CBkeBBQ46ZaLwLGv4T8+PJr6D9\
    ZTIoHxwgICJxA=";

fn bytes(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

fn with<T>(bytes: &[u8], password: &str, use_it: impl Fn(&Store) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    std::fs::write(&path, bytes).unwrap();
    use_it(&Store { path, password: Some(Secret::new(password)) })
}

fn common_name(certificate: &X509) -> String {
    format!("{:?}", certificate.subject_name())
}

#[test]
fn truststores_of_keytool_are_read() {
    for text in [TRUST_JKS, TRUST_P12, KEY_JKS, KEY_P12] {
        let certificates = with(&bytes(text), "changeit", trusted).unwrap();
        assert_eq!(certificates.len(), 1);
        assert!(common_name(&certificates[0]).contains("Fixture"));
    }
}

#[test]
fn a_truststore_of_an_old_java_is_read_or_refused() {
    match with(&bytes(OLD_P12), "changeit", trusted) {
        Ok(certificates) => assert_eq!(certificates.len(), 1),
        // OpenSSL was built without its legacy provider.
        Err(error) => assert!(matches!(error, LineError::Store { .. }), "{error}"),
    }
}

#[test]
fn keystores_of_keytool_are_read() {
    for text in [KEY_JKS, KEY_P12] {
        let found = with(&bytes(text), "changeit", identity).unwrap();
        assert!(found.certificate.public_key().unwrap().public_eq(&found.key));
        assert!(matches!(with(&bytes(text), "wrong", identity), Err(LineError::Store { .. })));
    }
    assert!(matches!(with(&bytes(TRUST_JKS), "changeit", identity), Err(LineError::Store { .. })));
}

#[test]
fn a_key_that_java_encrypts_otherwise_is_answered_by_the_command_that_converts_it() {
    let mut store = bytes(KEY_JKS);
    // The last byte of the algorithm's number, as in a JCE keystore.
    let at = store.windows(3).position(|window| window == [0x02, 0x11, 0x01]).unwrap();
    store[at + 3] = 0x03;
    let error = with(&store, "changeit", identity).map(|_| ()).unwrap_err();
    assert!(matches!(error, LineError::JavaKeystore { .. }), "{error}");
    assert!(error.to_string().contains("keytool -importkeystore -srckeystore /"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_behind_the_magic(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 0_u8..4) {
        let mut store = vec![0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, version, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0];
        store.extend(&bytes);
        let _ = java_store::parse(&store);
        let _ = java_store::open_key(&bytes, "password");
    }

    #[test]
    fn a_store_with_one_changed_byte(at: proptest::sample::Index, byte: u8) {
        let mut store = bytes(KEY_JKS);
        let at = at.index(store.len());
        store[at] = byte;
        if let Ok(entries) = java_store::parse(&store) {
            for entry in entries {
                let _ = entry.sealed_key.map(|key| java_store::open_key(key, "changeit"));
            }
        }
    }
}
