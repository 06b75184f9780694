// Fills in what Debezium's Filter and ContentBasedRouter make of the records in records.jsonl:
//   java -cp 'CONNECT/*:DEBEZIUM/*:SCRIPTING/*' Oracle.java records.jsonl < cases.jsonl > filled.jsonl
// with the jars of Kafka Connect, of a Debezium connector, and of debezium-scripting, Groovy 4.0.17 (groovy, groovy-jsr223) and
// GraalJS 25.0.1 (js-scriptengine, js-community). The members of a case's "out" name the records; each gets true (kept),
// false (left out), "to TOPIC", or "error".
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;

public class Oracle {
    static final ObjectMapper JSON = new ObjectMapper();
    static final JsonConverter CONVERTER = new JsonConverter();

    static SchemaAndValue read(JsonNode node) {
        return node == null || node.isNull()
            ? new SchemaAndValue(null, null)
            : CONVERTER.toConnectData("t", node.toString().getBytes(StandardCharsets.UTF_8));
    }

    static SourceRecord record(JsonNode r) {
        SchemaAndValue key = read(r.get("key")), value = read(r.get("value"));
        ConnectHeaders headers = new ConnectHeaders();
        for (JsonNode header : r.get("headers")) {
            SchemaAndValue content = read(header.get(1));
            headers.add(header.get(0).asText(), content.value(), content.schema());
        }
        return new SourceRecord(Map.of(), Map.of(), r.get("topic").asText(), null,
            key.schema(), key.value(), value.schema(), value.value(), null, headers);
    }

    @SuppressWarnings("unchecked")
    static JsonNode run(JsonNode c, SourceRecord record) throws Exception {
        boolean filter = c.has("filter");
        String name = filter ? "io.debezium.transforms.Filter" : "io.debezium.transforms.ContentBasedRouter";
        Map<String, String> options = new HashMap<>();
        options.put("language", c.get("language").asText());
        options.put(filter ? "condition" : "topic.expression", c.get(filter ? "filter" : "route").asText());
        if (c.has("nulls")) options.put("null.handling.mode", c.get("nulls").asText());
        try (Transformation<SourceRecord> made =
                (Transformation<SourceRecord>) Class.forName(name).getDeclaredConstructor().newInstance()) {
            made.configure(options);
            SourceRecord out = made.apply(record);
            if (filter) return BooleanNode.valueOf(out != null);
            return out == null ? NullNode.instance : TextNode.valueOf("to " + out.topic());
        } catch (RuntimeException error) {
            return TextNode.valueOf("error");
        }
    }

    public static void main(String[] arguments) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        CONVERTER.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
        Map<String, SourceRecord> records = new HashMap<>();
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            JsonNode r = JSON.readTree(line);
            records.put(r.get("name").asText(), record(r));
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode c = (ObjectNode) JSON.readTree(line);
            ObjectNode made = (ObjectNode) c.get("out");
            List<String> names = new ArrayList<>();
            made.fieldNames().forEachRemaining(names::add);
            for (String name : names) made.set(name, run(c, records.get(name)));
            out.println(JSON.writeValueAsString(c));
        }
    }
}
