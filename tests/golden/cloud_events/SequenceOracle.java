// Fills in what Debezium's CloudEventsConverter makes of the records in sequences.jsonl, and what it registers:
//   java -cp 'CONNECT/*:DEBEZIUM/*:AVRO/*' SequenceOracle.java records.json < sequences.jsonl > filled.jsonl
// with the jars of Kafka Connect, of a Debezium connector and of Confluent's AvroConverter. The records of a line go through
// one converter. Headers are written by Kafka's JsonConverter. The registry is Confluent's mock, which gives ids from 1.
// Each line gets "out": for each record text, {"hex": bytes} where the event is Avro, null, or "error"; "refused" where the
// options are; and "registered": [subject, schema, id] in order.
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import io.confluent.connect.avro.AvroConverter;
import io.confluent.kafka.schemaregistry.ParsedSchema;
import io.confluent.kafka.schemaregistry.client.MockSchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import io.debezium.converters.CloudEventsConverter;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

public class SequenceOracle {
    static final ObjectMapper JSON = new ObjectMapper();
    static final String TOPIC = "srv.db.t";

    static class Recorded extends MockSchemaRegistryClient {
        final ArrayNode registered = JSON.createArrayNode();
        final Set<String> seen = new HashSet<>();

        @Override
        public synchronized int register(String subject, ParsedSchema schema, boolean normalize) throws IOException, RestClientException {
            int id = super.register(subject, schema, normalize);
            if (seen.add(subject + " " + schema.canonicalString())) {
                registered.add(JSON.createArrayNode().add(subject).add(schema.canonicalString()).add(id));
            }
            return id;
        }
    }

    static JsonConverter converter(boolean header) {
        JsonConverter made = new JsonConverter();
        Map<String, Object> config = new HashMap<>(Map.of("schemas.enable", "true", "converter.type", header ? "header" : "value"));
        if (!header) config.put("replace.null.with.default", "false");
        made.configure(config);
        return made;
    }

    static SchemaAndValue read(JsonConverter reader, JsonNode json) {
        if (json == null || json.isNull()) return new SchemaAndValue(null, null);
        return reader.toConnectData("t", json.toString().getBytes(StandardCharsets.UTF_8));
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        JsonNode records = JSON.readTree(new File(arguments[0]));
        JsonConverter reader = converter(false), headerWriter = converter(true);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode c = (ObjectNode) JSON.readTree(line);
            Map<String, String> options = JSON.convertValue(c.get("options"), Map.class);
            Recorded registry = new Recorded();
            CloudEventsConverter converter;
            try {
                AvroConverter avro = null;
                if (options.containsKey("avro.schema.registry.url")) {
                    Map<String, String> config = new HashMap<>();
                    options.forEach((name, value) -> { if (name.startsWith("avro.")) config.put(name.substring(5), value); });
                    avro = new AvroConverter(registry);
                    avro.configure(config, false);
                }
                converter = new CloudEventsConverter(avro);
                converter.configure(options, false);
            } catch (RuntimeException error) {
                error.printStackTrace();
                c.put("out", "refused");
                out.println(JSON.writeValueAsString(c));
                continue;
            }
            ArrayNode outs = c.putArray("out");
            for (JsonNode record : c.get("records")) {
                try {
                    SchemaAndValue value = read(reader, record.get("value").isNull() ? null : records.get(record.get("value").asText()));
                    RecordHeaders headers = new RecordHeaders();
                    for (JsonNode header : record.path("headers")) {
                        JsonNode part = header.get(1).isTextual() ? records.get(header.get(1).asText()) : header.get(1);
                        SchemaAndValue typed = read(reader, part);
                        headers.add(header.get(0).asText(), headerWriter.fromConnectHeader(TOPIC, header.get(0).asText(), typed.schema(), typed.value()));
                    }
                    byte[] written = converter.fromConnectData(TOPIC, headers, value.schema(), value.value());
                    if (written == null) outs.addNull();
                    else if (written[0] == 0) outs.addObject().put("hex", HexFormat.of().formatHex(written));
                    else outs.add(new String(written, StandardCharsets.UTF_8));
                } catch (RuntimeException error) {
                    error.printStackTrace();
                    outs.add("error");
                }
            }
            c.set("registered", registry.registered);
            out.println(JSON.writeValueAsString(c));
        }
    }
}
