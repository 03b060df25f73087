#!/usr/bin/env bash
# Spark 4.2.0: the sum of vectors by vector_sum stops growing at 16,777,216; the sum of the same numbers by sum does not.
# Expected: as sum(float), which adds in double, and as vector_avg, whose mean of the same rows is right.
# Seen: vector_sum adds in float, so that one more 1 is lost from 2^24 on: 20 million vectors [1.0] have the sum [1.6777216E7].
# Why it matters: sums of embeddings, of which means by group and centroids are made, are silently too small, and depend on how rows are
#   spread over partitions.
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
cat > "$dir/Finding.java" <<'JAVA'
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

class Finding {
  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate();
    System.out.println("Spark " + spark.version());
    Row row = spark.sql("SELECT vector_sum(v)[0], sum(v[0]), vector_avg(v)[0] FROM (SELECT array(1F) AS v FROM range(0, 20000000, 1, 1))").first();
    spark.stop();
    System.out.println("Expected: 2.0E7, 2.0E7, mean 1.0");
    System.out.printf("Seen:     vector_sum %s, sum %s, vector_avg %s%n", row.get(0), row.get(1), row.get(2));
    if (row.getFloat(0) != 16777216f || row.getDouble(1) != 2e7 || row.getFloat(2) != 1f) throw new AssertionError("changed");
  }
}
JAVA
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
java "${opens[@]}" -cp "$(cat "$dir/classpath")" "$dir/Finding.java" 2>"$dir/log" || { tail -20 "$dir/log"; exit 1; }
