// Fills in what Debezium's CloudEventsConverter writes for the records in cases.jsonl:
//   java -cp 'CONNECT/*:DEBEZIUM/*' Oracle.java < cases.jsonl > filled.jsonl
// with the jars of Kafka Connect and of a Debezium connector for MySQL or MariaDB. Each case gets "out": the text, null for a
// record without a value, or "error".
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

public class Oracle {
    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        ObjectMapper json = new ObjectMapper();
        JsonConverter reader = new JsonConverter();
        reader.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode c = (ObjectNode) json.readTree(line);
            try {
                SchemaAndValue value = c.get("value").isNull() ? new SchemaAndValue(null, null)
                    : reader.toConnectData("t", c.get("value").toString().getBytes(StandardCharsets.UTF_8));
                io.debezium.converters.CloudEventsConverter converter = new io.debezium.converters.CloudEventsConverter();
                converter.configure(json.convertValue(c.get("options"), Map.class), false);
                byte[] written = converter.fromConnectData("srv.db.t", value.schema(), value.value());
                c.set("out", written == null ? NullNode.instance : TextNode.valueOf(new String(written, StandardCharsets.UTF_8)));
            } catch (RuntimeException error) {
                error.printStackTrace();
                c.put("out", "error");
            }
            out.println(json.writeValueAsString(c));
        }
    }
}
