-- EventRouter with payloads that are Avro already, by BinaryDataConverter
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000001', 'order', '1', 'OrderCreated', '{"id": 1, "lines": [{"item": "tea", "n": 2}], "total": 10.5, "ok": true, "none": null}', 1700000000000, 1, 'a');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000002', 'customer', 'ü', 'CustomerChanged', '{"name": "Ünï \\"q\\""}', 1700000000001, 2, NULL);
DELETE FROM outbox WHERE aggregateid = '1';
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000003', 'order', '2', 'OrderCreated', NULL, 1700000000002, 1, 'b');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000004', 'order', '3', 'OrderClosed', '[]', 1700000000003, 1, 'b');
UPDATE outbox SET tenant = 'x' WHERE aggregateid = '3';
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000005', 'customer', 'end', 'End', '{}', 1700000000004, 1, 'b');
-- wait: topic ${PREFIX}.event.customer 2
