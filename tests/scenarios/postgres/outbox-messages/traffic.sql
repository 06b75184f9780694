-- An outbox of logical messages: DecodeLogicalDecodingMessageContent and EventRouter
SELECT pg_logical_emit_message(true, 'outbox', '{"id": "1", "aggregatetype": "order", "aggregateid": "5", "type": "Created", "payload": {"a": 1, "b": [1, 2], "c": null, "d": "ü"}}');
SELECT pg_logical_emit_message(true, 'ignored', 'x');
SELECT pg_logical_emit_message(false, 'outbox', '{"id": "2", "aggregatetype": "order", "aggregateid": "6", "type": "Closed", "payload": {"a": 2, "b": [], "c": null, "d": "z"}}');
SELECT pg_logical_emit_message(true, 'outbox', '{"id": "3", "aggregatetype": "customer", "aggregateid": "7", "type": "End", "payload": {"end": true}}');
-- wait: topic ${PREFIX}.event.customer 1
