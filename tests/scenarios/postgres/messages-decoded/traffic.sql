-- DecodeLogicalDecodingMessageContent alone
SELECT pg_logical_emit_message(true, 'json', '{"a": 1, "big": 12345678901, "f": 1.5, "s": "x", "n": null, "o": {"p": true}, "l": [1, 2]}');
SELECT pg_logical_emit_message(false, 'json', '{"a": "other"}');
