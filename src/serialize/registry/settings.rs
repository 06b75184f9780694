//! The settings of the registry's client, under the names that Confluent's client has for them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::serialize::error::SerializeError;
use crate::util::class_options::{ClassOption, Options};

/// What can be set.
pub static OPTIONS: &[ClassOption] = &[
    ClassOption::new("schema.registry.url", "", "the registries' URLs, separated by commas, tried in order"),
    ClassOption::new("auto.register.schemas", "true", "whether a schema that the registry does not have is registered"),
    ClassOption::new(
        "use.latest.version",
        "false",
        "with auto.register.schemas=false: use the subject's latest version, if it has the same fields",
    ),
    ClassOption::new(
        "latest.compatibility.strict",
        "true",
        "taken; the latest version must have the same fields in any case",
    ),
    ClassOption::new(
        "use.schema.id",
        "-1",
        "with auto.register.schemas=false: use the schema with this id, if it has the same fields",
    ),
    ClassOption::new("id.compatibility.strict", "true", "taken; the schema must have the same fields in any case"),
    ClassOption::new("normalize.schemas", "false", "whether the registry normalizes schemas before it compares them"),
    ClassOption::new("basic.auth.credentials.source", "URL", "where user and password come from: URL or USER_INFO"),
    ClassOption::secret("basic.auth.user.info", "user:password, for USER_INFO"),
    ClassOption::secret("schema.registry.basic.auth.user.info", "older name of basic.auth.user.info"),
    ClassOption::new("bearer.auth.credentials.source", "", "where the bearer token comes from: STATIC_TOKEN"),
    ClassOption::secret("bearer.auth.token", "the bearer token"),
    ClassOption::new("schema.registry.ssl.truststore.location", "", "file of the trusted certificates, PEM or PKCS12"),
    ClassOption::new("schema.registry.ssl.truststore.type", "by content", "PEM or PKCS12"),
    ClassOption::secret("schema.registry.ssl.truststore.password", "password of a PKCS12 truststore"),
    ClassOption::new("schema.registry.ssl.truststore.certificates", "", "trusted certificates, as PEM text"),
    ClassOption::new(
        "schema.registry.ssl.keystore.location",
        "",
        "file of the client's certificate and key, PEM or PKCS12",
    ),
    ClassOption::new("schema.registry.ssl.keystore.type", "by content", "PEM or PKCS12"),
    ClassOption::secret("schema.registry.ssl.keystore.password", "password of a PKCS12 keystore"),
    ClassOption::secret("schema.registry.ssl.key.password", "password of the client's key"),
    ClassOption::new("schema.registry.ssl.keystore.certificate.chain", "", "the client's certificates, as PEM text"),
    ClassOption::secret("schema.registry.ssl.keystore.key", "the client's key, as PEM text"),
    ClassOption::new("http.connect.timeout.ms", "5000", "longest time to connect"),
    ClassOption::new("http.read.timeout.ms", "10000", "longest time for one request and its answer"),
    ClassOption::new("retries.wait.ms", "200", "wait before the second attempt; doubles with every further one"),
    ClassOption::new("retries.max.wait.ms", "5000", "longest wait between attempts"),
    ClassOption::new(
        "registry.deadline.ms",
        "30000",
        "how long a registry that does not answer is tried before that is reported; the pipeline then tries again",
    ),
    ClassOption::new("proxy.host", "", "an HTTP proxy's host"),
    ClassOption::new("proxy.port", "", "an HTTP proxy's port"),
    ClassOption::secret("request.header.*", "headers that are sent with every request"),
];

/// One registry.
pub(super) struct Endpoint {
    /// Without credentials and without a slash at the end.
    pub url: String,
    /// The credentials that stood in the URL, as a header's value.
    authorization: Option<String>,
}

/// The settings, read and checked.
pub(super) struct Settings {
    pub endpoints: Vec<Endpoint>,
    /// The credentials for every URL; those in a URL where there are none.
    authorization: Option<String>,
    pub headers: Vec<(String, String)>,
    pub tls: ureq::tls::TlsConfig,
    pub connect_timeout: Duration,
    pub read_timeout: Duration,
    pub first_wait: Duration,
    pub longest_wait: Duration,
    pub deadline: Duration,
    pub proxy: Option<String>,
}

impl Settings {
    pub(super) fn read(options: &Options<'_>) -> Result<Self, SerializeError> {
        let urls = options.text("schema.registry.url").unwrap_or_default();
        let endpoints = urls
            .split(',')
            .map(str::trim)
            .filter(|url| !url.is_empty())
            .map(endpoint)
            .collect::<Result<Vec<_>, _>>()?;
        if endpoints.is_empty() {
            return Err(bad_url(""));
        }
        let prefix = "request.header.";
        let headers =
            options.all().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.to_owned())));
        let millis =
            |name, default| options.number(name, default, 1).map(|millis| Duration::from_millis(millis.unsigned_abs()));
        Ok(Settings {
            endpoints,
            authorization: authorization(options)?,
            headers: headers.collect(),
            tls: super::tls::tls(options)?,
            connect_timeout: millis("http.connect.timeout.ms", 5_000)?,
            read_timeout: millis("http.read.timeout.ms", 10_000)?,
            first_wait: millis("retries.wait.ms", 200)?,
            longest_wait: millis("retries.max.wait.ms", 5_000)?,
            deadline: millis("registry.deadline.ms", 30_000)?,
            proxy: options
                .text("proxy.host")
                .map(|host| format!("http://{host}:{}", options.text("proxy.port").unwrap_or("80"))),
        })
    }

    /// The `Authorization` header for a registry.
    pub(super) fn authorization<'s>(&'s self, endpoint: &'s Endpoint) -> Option<&'s str> {
        self.authorization.as_deref().or(endpoint.authorization.as_deref())
    }
}

fn bad_url(value: &str) -> SerializeError {
    // Everything before an `@` may be a password.
    let value = value.rsplit('@').next().unwrap_or_default().into();
    crate::util::class_options::BadOption {
        option: "schema.registry.url",
        value,
        expected: "URLs of schema registries, http:// or https://",
    }
    .into()
}

fn endpoint(url: &str) -> Result<Endpoint, SerializeError> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| bad_url(url))?;
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(bad_url(url));
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user_info, host) = match authority.rsplit_once('@') {
        Some((user_info, host)) => (Some(user_info), host),
        None => (None, authority),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:[]%".contains(c);
    if host.is_empty() || !host.chars().all(allowed) || path.contains(['?', '#', ' ']) {
        return Err(bad_url(url));
    }
    let path = path.trim_end_matches('/');
    let url = if path.is_empty() { format!("{scheme}://{host}") } else { format!("{scheme}://{host}/{path}") };
    Ok(Endpoint { url, authorization: user_info.map(|text| basic(&percent_decode(text))) })
}

fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        rest = match (first, code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                tail.get(2..).unwrap_or_default()
            }
            _ => {
                out.push(*first);
                tail
            }
        };
    }
    out
}

fn basic(user_info: &[u8]) -> String {
    format!("Basic {}", STANDARD.encode(user_info))
}

fn authorization(options: &Options<'_>) -> Result<Option<String>, SerializeError> {
    let bearer = ["bearer.auth.credentials.source", "schema.registry.bearer.auth.credentials.source"];
    let token = options.any(&["bearer.auth.token", "schema.registry.bearer.auth.token"]);
    match (options.any(&bearer), token) {
        (None | Some("STATIC_TOKEN"), Some(token)) => return Ok(Some(format!("Bearer {token}"))),
        (None, None) => {}
        (Some("STATIC_TOKEN"), None) => {
            let (option, expected) =
                ("bearer.auth.token", "set, as bearer.auth.credentials.source=STATIC_TOKEN needs it");
            return Err(crate::util::class_options::BadOption { option, value: String::new(), expected }.into());
        }
        (Some(other), _) => {
            return Err(SerializeError::Unsupported {
                what: format!("bearer.auth.credentials.source={other}"),
                reason: "only STATIC_TOKEN is; let a sidecar renew the token in a file and refer to it as ${file:…}"
                    .into(),
            });
        }
    }
    let source = options.any(&["basic.auth.credentials.source", "schema.registry.basic.auth.credentials.source"]);
    match source.unwrap_or("URL") {
        "URL" => Ok(None),
        "USER_INFO" => {
            let names = ["basic.auth.user.info", "schema.registry.basic.auth.user.info"];
            match options.any(&names).filter(|text| text.contains(':')) {
                Some(user_info) => Ok(Some(basic(user_info.as_bytes()))),
                None => {
                    let (option, expected) =
                        ("basic.auth.user.info", "user:password, as basic.auth.credentials.source=USER_INFO needs it");
                    Err(crate::util::class_options::BadOption { option, value: String::new(), expected }.into())
                }
            }
        }
        "SASL_INHERIT" => Err(SerializeError::Unsupported {
            what: "basic.auth.credentials.source=SASL_INHERIT".into(),
            reason: "set basic.auth.credentials.source=USER_INFO and basic.auth.user.info=user:password instead".into(),
        }),
        other => {
            let (option, expected) = ("basic.auth.credentials.source", "URL or USER_INFO");
            Err(crate::util::class_options::BadOption { option, value: other.into(), expected }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::BTreeMap;

    use super::*;
    use crate::error::Coded as _;

    fn read(settings: &[(&str, &str)]) -> Result<Settings, SerializeError> {
        let config: BTreeMap<String, String> = settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Settings::read(&Options::new(&config))
    }

    #[test]
    fn urls_and_credentials_are_read_as_confluents_client_reads_them() {
        for (settings, url, authorization) in [
            (&[("schema.registry.url", "http://r:8081/")][..], "http://r:8081", None),
            (
                &[("schema.registry.url", "https://me:p%40ss@r/apis/ccompat/v7/")],
                "https://r/apis/ccompat/v7",
                Some("Basic bWU6cEBzcw=="),
            ),
            (
                &[
                    ("schema.registry.url", "http://r"),
                    ("basic.auth.credentials.source", "USER_INFO"),
                    ("basic.auth.user.info", "a:b"),
                ],
                "http://r",
                Some("Basic YTpi"),
            ),
            (
                &[
                    ("schema.registry.url", "http://r"),
                    ("bearer.auth.credentials.source", "STATIC_TOKEN"),
                    ("bearer.auth.token", "t"),
                ],
                "http://r",
                Some("Bearer t"),
            ),
        ] {
            let read = read(settings).unwrap();
            assert_eq!(read.endpoints[0].url, url);
            assert_eq!(read.authorization(&read.endpoints[0]), authorization);
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_without_showing_a_secret() {
        for (settings, code) in [
            (&[][..], 602),
            (&[("schema.registry.url", "r:8081")], 602),
            (&[("schema.registry.url", "ftp://me:secret@r")], 602),
            (&[("schema.registry.url", "http://me:secret@r with space")], 602),
            (&[("schema.registry.url", "http://r"), ("basic.auth.credentials.source", "SASL_INHERIT")], 601),
            (
                &[
                    ("schema.registry.url", "http://r"),
                    ("basic.auth.credentials.source", "USER_INFO"),
                    ("basic.auth.user.info", "secret"),
                ],
                602,
            ),
            (&[("schema.registry.url", "http://r"), ("bearer.auth.credentials.source", "OAUTHBEARER")], 601),
            (&[("schema.registry.url", "http://r"), ("http.read.timeout.ms", "soon")], 602),
        ] {
            let error = read(settings).err().expect("must be refused");
            assert_eq!(error.code().number, code, "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
