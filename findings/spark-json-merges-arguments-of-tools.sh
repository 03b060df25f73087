#!/usr/bin/env bash
# Spark 4.2.0: chats with calls of tools are read by spark.read.json without an error, and are other chats.
# Expected: messages as they stand in the file, or a sentence that they have no common schema.
# Seen: the arguments of all calls become one structure, the union of all names in the order of the alphabet: a call has the arguments of
#   the others too, as null (or, in JSON that is written from it, none that were null in the file), and its own in another order; an
#   empty object of arguments, {}, is gone, and with it the difference between a call without arguments and no call's field.
# Why it matters: chat templates print calls as JSON in the order they have (tojson), so that a model learns other text than the file
#   has. Arguments that are texts in JSON, as the API that they come from has them, stay as they are.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/pom.xml" <<'XML'
<project>
<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
  <dependency><groupId>org.apache.spark</groupId><artifactId>spark-sql_2.13</artifactId><version>4.2.0</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/chats.jsonl" <<'JSON'
{"messages": [{"role": "assistant", "tool_calls": [{"name": "book", "arguments": {"to": "Bern", "from": "Ulm"}}]}]}
{"messages": [{"role": "assistant", "tool_calls": [{"name": "rain", "arguments": {"city": "Bonn", "day": null}}]}]}
JSON
cat > "$dir/empty.jsonl" <<'JSON'
{"messages": [{"role": "assistant", "tool_calls": [{"name": "now", "arguments": {}}]}]}
JSON
cat > "$dir/Finding.java" <<'JAVA'
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

class Finding {
  static List<String> read(SparkSession spark, String file) {
    Dataset<Row> rows = spark.read().json(file);
    System.out.println(rows.schema().simpleString());
    List<String> lines = rows.toJSON().collectAsList();
    lines.forEach(line -> System.out.println("  " + line));
    return lines;
  }

  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate();
    System.out.println("Spark " + spark.version());
    List<String> chats = read(spark, args[0]), empty = read(spark, args[1]);
    String all = spark.read().json(args[0]).selectExpr("messages[0].tool_calls[0].arguments as a").selectExpr("a.city", "a.day", "a.from", "a.to").collectAsList().toString();
    System.out.println("  arguments of all calls: " + all);
    spark.stop();
    if (!chats.get(0).contains("\"arguments\":{\"from\":\"Ulm\",\"to\":\"Bern\"}")) throw new AssertionError("changed: order");
    if (!chats.get(1).contains("\"arguments\":{\"city\":\"Bonn\"}")) throw new AssertionError("changed: null");
    if (!all.contains("[null,null,Ulm,Bern]")) throw new AssertionError("changed: " + all);
    if (empty.get(0).contains("arguments")) throw new AssertionError("changed: empty arguments");
    System.out.println("Expected: {\"to\": \"Bern\", \"from\": \"Ulm\"}, {\"city\": \"Bonn\", \"day\": null} and {}");
    System.out.println("Seen:     from before to; city and day in both calls, or no day at all; no arguments");
  }
}
JAVA
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
java "${opens[@]}" -cp "$(cat "$dir/classpath")" "$dir/Finding.java" "$dir/chats.jsonl" "$dir/empty.jsonl" 2>"$dir/log" \
  || { tail -20 "$dir/log"; exit 1; }
