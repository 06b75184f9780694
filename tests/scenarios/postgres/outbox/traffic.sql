-- EventRouter on a table with jsonb and uuid
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000001', 'order', '1', 'OrderCreated', '{"id": 1, "lines": [{"item": "tea", "n": 2}], "total": 10.5, "ok": true, "none": null}', '2024-01-01', 1);
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000002', 'customer', 'ü', 'CustomerChanged', '{"name": "Ünï"}', '2024-01-02', 2);
DELETE FROM outbox WHERE aggregateid = '1';
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000003', 'order', '2', 'OrderCreated', NULL, NULL, 1);
INSERT INTO outbox VALUES ('11111111-0000-0000-0000-000000000005', 'customer', 'end', 'End', '{}', '2024-01-03', 1);
-- wait: topic ${PREFIX}.event.customer 2
