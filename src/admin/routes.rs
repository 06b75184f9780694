//! The table of routes: what can be asked, how, and by whom.
//!
//! In: a method and a path. Out: the call, with the names that stand in the path. Promised: total; every route is in the
//! table, and `docs/reference/openapi.json` is held to it. Source: Kafka Connect's REST interface (the manual's section
//! "REST API", and `ConnectorsResource`).

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Root,
    Connectors,
    Create,
    Connector,
    Delete,
    Config,
    PutConfig,
    PatchConfig,
    Status,
    Tasks,
    TaskStatus,
    Restart,
    RestartTask,
    Pause,
    Resume,
    Stop,
    Offsets,
    AlterOffsets,
    ResetOffsets,
    Topics,
    ResetTopics,
    Flow,
    Incidents,
    Plugins,
    PluginConfig,
    Validate,
    Loggers,
    Logger,
    SetLogger,
    OpenApi,
    Health,
    Live,
    Ready,
    Metrics,
}

/// What somebody must be allowed to, where the worker asks who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Nothing: orchestrators ask without a password.
    Open,
    /// To look.
    Read,
    /// To change.
    Write,
}

/// One line of the table.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) call: Call,
    pub(super) right: Right,
    /// Whether a body belongs to it.
    pub(super) body: bool,
}

const fn read(method: &'static str, path: &'static str, call: Call) -> Route {
    Route { method, path, call, right: Right::Read, body: false }
}

const fn open(path: &'static str, call: Call) -> Route {
    Route { method: "GET", path, call, right: Right::Open, body: false }
}

const fn write(method: &'static str, path: &'static str, call: Call) -> Route {
    Route { method, path, call, right: Right::Write, body: false }
}

const fn written(method: &'static str, path: &'static str, call: Call) -> Route {
    Route { method, path, call, right: Right::Write, body: true }
}

/// Every route there is.
pub(super) const ROUTES: &[Route] = &[
    read("GET", "/", Call::Root),
    read("GET", "/connectors", Call::Connectors),
    written("POST", "/connectors", Call::Create),
    read("GET", "/connectors/{connector}", Call::Connector),
    write("DELETE", "/connectors/{connector}", Call::Delete),
    read("GET", "/connectors/{connector}/config", Call::Config),
    written("PUT", "/connectors/{connector}/config", Call::PutConfig),
    written("PATCH", "/connectors/{connector}/config", Call::PatchConfig),
    read("GET", "/connectors/{connector}/status", Call::Status),
    read("GET", "/connectors/{connector}/tasks", Call::Tasks),
    read("GET", "/connectors/{connector}/tasks/{task}/status", Call::TaskStatus),
    write("POST", "/connectors/{connector}/tasks/{task}/restart", Call::RestartTask),
    write("POST", "/connectors/{connector}/restart", Call::Restart),
    write("PUT", "/connectors/{connector}/pause", Call::Pause),
    write("PUT", "/connectors/{connector}/resume", Call::Resume),
    write("PUT", "/connectors/{connector}/stop", Call::Stop),
    read("GET", "/connectors/{connector}/offsets", Call::Offsets),
    written("PATCH", "/connectors/{connector}/offsets", Call::AlterOffsets),
    write("DELETE", "/connectors/{connector}/offsets", Call::ResetOffsets),
    read("GET", "/connectors/{connector}/topics", Call::Topics),
    write("PUT", "/connectors/{connector}/topics/reset", Call::ResetTopics),
    read("GET", "/connectors/{connector}/flow", Call::Flow),
    read("GET", "/connectors/{connector}/incidents", Call::Incidents),
    read("GET", "/connector-plugins", Call::Plugins),
    read("GET", "/connector-plugins/{plugin}/config", Call::PluginConfig),
    Route {
        method: "PUT",
        path: "/connector-plugins/{plugin}/config/validate",
        call: Call::Validate,
        right: Right::Read,
        body: true,
    },
    read("GET", "/admin/loggers", Call::Loggers),
    read("GET", "/admin/loggers/{logger}", Call::Logger),
    written("PUT", "/admin/loggers/{logger}", Call::SetLogger),
    read("GET", "/openapi.json", Call::OpenApi),
    open("/health", Call::Health),
    open("/health/live", Call::Live),
    open("/health/ready", Call::Ready),
    open("/metrics", Call::Metrics),
];

/// What a method and a path lead to.
pub(super) enum Found {
    /// A route, and what stands in the places of its names, decoded.
    Route(&'static Route, Vec<String>),
    /// The path is known, the method is not: those that are.
    Methods(Vec<&'static str>),
    /// Nothing.
    Nothing,
}

/// Finds the route. A slash at the end does not matter; `HEAD` is a `GET` without an answer's body.
pub(super) fn find(method: &str, path: &str) -> Found {
    let segments: Vec<&str> = segments(path);
    let mut methods = Vec::new();
    for route in ROUTES {
        let Some(names) = names(route.path, &segments) else { continue };
        if route.method == method || (route.method == "GET" && method == "HEAD") {
            return Found::Route(route, names);
        }
        methods.push(route.method);
    }
    if methods.is_empty() { Found::Nothing } else { Found::Methods(methods) }
}

fn segments(path: &str) -> Vec<&str> {
    path.strip_prefix('/').unwrap_or(path).trim_end_matches('/').split('/').collect()
}

/// What stands in the places of a pattern's names; `None` when the path is another.
fn names(pattern: &str, path: &[&str]) -> Option<Vec<String>> {
    let pattern = segments(pattern);
    let mut names = Vec::new();
    if pattern.len() != path.len() {
        return None;
    }
    for (wanted, found) in pattern.iter().zip(path) {
        if wanted.starts_with('{') {
            let name = decode(found).filter(|name| !name.is_empty())?;
            // A task's number in a path is a number, in Connect, too.
            if *wanted == "{task}" && name.parse::<i32>().is_err() {
                return None;
            }
            names.push(name);
        } else if wanted != found {
            return None;
        }
    }
    Some(names)
}

/// `%41` as `A`; `None` for what is no UTF-8 text in this form.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The parameters behind the `?`, in order, decoded; what cannot be decoded is left out.
pub(super) fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let decoded = |text: &str| decode(&text.replace('+', " "));
    let split = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => Some((decoded(name)?, decoded(value)?)),
        None => Some((decoded(pair)?, String::new())),
    };
    pairs.filter_map(split).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn check(method: &str, path: &str, expected: Option<(Call, &[&str])>) {
        let found = match find(method, path) {
            Found::Route(route, names) => Some((route.call, names)),
            Found::Methods(_) | Found::Nothing => None,
        };
        let found = found.as_ref().map(|(call, names)| (*call, names.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(found, expected.map(|(call, names)| (call, names.to_vec())), "{method} {path}");
    }

    #[test]
    fn paths_lead_to_calls() {
        check("GET", "/", Some((Call::Root, &[])));
        check("GET", "", Some((Call::Root, &[])));
        check("GET", "/connectors", Some((Call::Connectors, &[])));
        check("HEAD", "/connectors/", Some((Call::Connectors, &[])));
        check("GET", "/connectors/a%2Fb%20c/status", Some((Call::Status, &["a/b c"])));
        check("PUT", "/connectors/a/topics/reset", Some((Call::ResetTopics, &["a"])));
        check("GET", "/connectors/a/tasks/0/status", Some((Call::TaskStatus, &["a", "0"])));
        check("GET", "/connectors/a/tasks/x/status", None);
        check("GET", "/connectors/a/tasks-config", None);
        check("GET", "/connectors//status", None);
        check("GET", "/connectors/%zz/status", None);
        check("GET", "/connectors/%ff/status", None);
        check("GET", "/connectors/a%2", None);
        check("get", "/", None);
        assert!(matches!(find("PUT", "/connectors"), Found::Methods(methods) if methods == ["GET", "POST"]));
        assert!(matches!(find("PUT", "/nothing"), Found::Nothing));
    }

    #[test]
    fn parameters_are_decoded() {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let check = |query: &str, expected: &[(&str, &str)]| assert_eq!(parameters(query), owned(expected), "{query}");
        check("", &[]);
        check("expand=info&expand=status", &[("expand", "info"), ("expand", "status")]);
        check("expand", &[("expand", "")]);
        check("a=%zz&b=x+y%26", &[("b", "x y&")]);
    }

    /// The published description has every route, and no other, with the right that it needs.
    #[test]
    fn the_description_is_of_these_routes() {
        let text = include_str!("../../docs/reference/openapi.json");
        let described: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut found: Vec<(String, String, String, bool)> = Vec::new();
        for (path, methods) in described["paths"].as_object().unwrap() {
            for (method, call) in methods.as_object().unwrap() {
                let right = call["x-right"].as_str().unwrap().to_owned();
                found.push((path.clone(), method.to_uppercase(), right, call.get("requestBody").is_some()));
            }
        }
        let right = |right: Right| match right {
            Right::Open => "none",
            Right::Read => "read",
            Right::Write => "write",
        };
        let mut routes: Vec<(String, String, String, bool)> = ROUTES
            .iter()
            .map(|route| (route.path.to_owned(), route.method.to_owned(), right(route.right).to_owned(), route.body))
            .collect();
        found.sort();
        routes.sort();
        assert_eq!(found, routes);
    }
}
