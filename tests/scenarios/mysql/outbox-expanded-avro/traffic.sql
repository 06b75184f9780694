-- EventRouter: the payload's JSON as a structure, to Avro; an empty list has no schema
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000001', 'order', '1', 'OrderCreated', '{"id": 1, "lines": [{"item": "tea", "n": 2}], "total": 10.5, "ok": true, "none": null}', 1700000000000, 1, 'a');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000002', 'customer', 'ü', 'CustomerChanged', '{"name": "Ünï \\"q\\""}', 1700000000001, 2, NULL);
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000003', 'order', '2', 'OrderCreated', NULL, 1700000000002, 1, 'b');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000004', 'empty', '3', 'OrderClosed', '[]', 1700000000003, 1, 'b');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000005', 'empty', '3', 'OrderClosed', '[ ]', 1700000000003, 1, 'b');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000006', 'order', '4', 'OrderChanged', '{"id": 2, "lines": [], "total": 1}', 1700000000003, 1, 'b');
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000007', 'text', '4', 'Text', '"plain"', 1700000000003, 1, 'b');
DELETE FROM outbox WHERE aggregateid = '1';
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000008', 'customer', 'end', 'End', '{}', 1700000000004, 1, 'b');
-- wait: topic ${PREFIX}.event.customer 2
