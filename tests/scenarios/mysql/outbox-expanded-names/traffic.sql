-- EventRouter: expanded JSON beside other columns, to Avro, with names adjusted
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000001', 'order', '1', 'OrderCreated', '{"id": 1, "lines": [{"item": "tea", "n": 2}, {"item": null, "n": 3}], "none": null}', 1700000000000, 1, 'a');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000002', 'customer', 'end', 'End', '{"a": [1, 2], "b": [[1.5]]}', 1700000000004, 1, 'b');
-- wait: topic ${PREFIX}.event.customer 1
