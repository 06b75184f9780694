-- CloudEvents in Avro of an outbox: id, type and metadata from headers
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000001', 'order', '1', 'OrderCreated', '{"id": 1, "lines": [{"item": "tea", "n": 2}], "total": 10.5, "ok": true}', 1700000000000, 1, 'a');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000002', 'order', '2', 'OrderCreated', '{"id": 2, "lines": [{"item": "Ünï", "n": 1}], "total": -1.0, "ok": false}', 1700000000002, 1, 'b');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000003', 'customer', 'ü', 'CustomerChanged', '{"name": "Ünï q"}', 1700000000001, 2, 'c');
-- wait: topic ${PREFIX}.event.customer 1
