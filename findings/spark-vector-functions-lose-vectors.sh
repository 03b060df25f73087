#!/usr/bin/env bash
# Spark 4.2.0: vector_normalize makes a vector of zeros of [3e20, 4e20], and null of [3e-25, 4e-25].
# Expected: [0.6, 0.8] for both: all of these are ordinary floats, and so are the norms, 5e20 and 5e-25.
# Seen: squares are added in float, so that a norm is infinite above 1.8e19 and 0 below 1e-23. A large vector becomes zeros without a
#   word, its norm Infinity and its cosine with itself NaN; a small one is taken for a vector of zeros, whose direction is null.
# Why it matters: vectors that were never normalised, products of probabilities and gradients reach such sizes; nothing tells a lost
#   vector from one of zeros.
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
    Row row = spark.sql("SELECT vector_normalize(array(3e20F, 4e20F)), vector_norm(array(3e20F, 4e20F)),"
        + " vector_cosine_similarity(array(3e20F, 4e20F), array(3e20F, 4e20F)), vector_normalize(array(3e-25F, 4e-25F)),"
        + " vector_cosine_similarity(array(3e-25F, 4e-25F), array(3e-25F, 4e-25F)), vector_normalize(array(3F, 4F))").first();
    spark.stop();
    System.out.println("Expected: [0.6, 0.8], 5.0E20, 1.0, [0.6, 0.8], 1.0; and [0.6, 0.8] of [3, 4]");
    System.out.println("Seen:     " + row);
    if (!row.toString().equals("[ArraySeq(0.0, 0.0),Infinity,NaN,null,null,ArraySeq(0.6, 0.8)]")) throw new AssertionError("changed");
  }
}
JAVA
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
java "${opens[@]}" -cp "$(cat "$dir/classpath")" "$dir/Finding.java" 2>"$dir/log" || { tail -20 "$dir/log"; exit 1; }
