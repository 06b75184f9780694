// Fills in what Kafka Connect's own transforms make of the records in cases.jsonl:
//   java -cp 'CONNECT/*' Oracle.java < cases.jsonl > filled.jsonl
// where CONNECT is a folder with the jars of Kafka Connect. Each line gets "out": the record, null, or "error".
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

public class Oracle {
    static final ObjectMapper JSON = new ObjectMapper();
    static final JsonConverter CONVERTER = new JsonConverter();

    static SchemaAndValue read(JsonNode node) {
        return node == null || node.isNull()
            ? new SchemaAndValue(null, null)
            : CONVERTER.toConnectData("t", node.toString().getBytes(StandardCharsets.UTF_8));
    }

    static JsonNode write(Schema schema, Object value) throws IOException {
        byte[] bytes = CONVERTER.fromConnectData("t", schema, value);
        return bytes == null ? NullNode.instance : TextNode.valueOf(new String(bytes, StandardCharsets.UTF_8));
    }

    static ObjectNode describe(SourceRecord record) throws IOException {
        ObjectNode out = JSON.createObjectNode();
        out.put("topic", record.topic());
        out.set("partition", JSON.valueToTree(record.kafkaPartition()));
        out.set("timestamp", JSON.valueToTree(record.timestamp()));
        out.set("key", write(record.keySchema(), record.key()));
        out.set("value", write(record.valueSchema(), record.value()));
        ArrayNode headers = out.putArray("headers");
        for (Header header : record.headers()) {
            headers.addArray().add(header.key()).add(write(header.schema(), header.value()));
        }
        return out;
    }

    @SuppressWarnings("unchecked")
    static JsonNode run(JsonNode c) throws Exception {
        Map<String, String> options = JSON.convertValue(c.get("options"), Map.class);
        Object made = Class.forName(c.get("class").asText()).getDeclaredConstructor().newInstance();
        SchemaAndValue key = read(c.get("key")), value = read(c.get("value"));
        Long timestamp = c.hasNonNull("timestamp") ? c.get("timestamp").asLong() : null;
        Integer partition = c.hasNonNull("partition") ? c.get("partition").asInt() : null;
        ConnectHeaders headers = new ConnectHeaders();
        for (JsonNode header : c.withArray("headers")) {
            SchemaAndValue content = read(header.get(1));
            headers.add(header.get(0).asText(), content.value(), content.schema());
        }
        SourceRecord record = new SourceRecord(Map.of(), Map.of(), c.path("topic").asText("s.db.t"), partition,
            key.schema(), key.value(), value.schema(), value.value(), timestamp, headers);
        try {
            if (made instanceof Predicate) {
                Predicate<SourceRecord> predicate = (Predicate<SourceRecord>) made;
                predicate.configure(options);
                return BooleanNode.valueOf(predicate.test(record));
            }
            Transformation<SourceRecord> transform = (Transformation<SourceRecord>) made;
            transform.configure(options);
            SourceRecord out = transform.apply(record);
            return out == null ? NullNode.instance : describe(out);
        } catch (RuntimeException error) {
            return TextNode.valueOf("error");
        }
    }

    public static void main(String[] arguments) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        CONVERTER.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode c = (ObjectNode) JSON.readTree(line);
            JsonNode made;
            try {
                made = run(c);
            } catch (RuntimeException error) {
                throw new IllegalStateException(line, error);
            }
            c.set("out", made);
            out.println(JSON.writeValueAsString(c));
        }
    }
}
